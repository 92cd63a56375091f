"""FastAPI with the OAuth2 password form. The refresh token comes as the Bearer of a GET, or in the JSON of a POST."""

import os
import time
from typing import Annotated
from uuid import uuid4

import jwt
import uvicorn
from accounts import Accounts
from fastapi import Depends, FastAPI, HTTPException, Response
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from pydantic import BaseModel

SECRET_KEY = os.environ["SECRET_KEY"]
ACCESS_SECONDS = int(os.environ.get("ACCESS_SECONDS", "900"))
REFRESH_SECONDS = int(os.environ.get("REFRESH_SECONDS", "2592000"))

app = FastAPI(title="Backend")
bearer = OAuth2PasswordBearer(tokenUrl="token")
accounts = Accounts(os.environ.get("DATABASE", "accounts.sqlite"), os.environ.get("DEMO_USERS", ""))


class AccessToken(BaseModel):
    access_token: str
    token_type: str = "bearer"


class Tokens(AccessToken):
    refresh_token: str


class RefreshRequest(BaseModel):
    refresh_token: str


class User(BaseModel):
    name: str
    session_id: str


class Me(BaseModel):
    name: str


def make_token(kind: str, seconds: int, user: User) -> str:
    now = int(time.time())
    claims = {"sub": user.name, "sid": user.session_id, "type": kind, "iat": now, "exp": now + seconds}
    return jwt.encode(claims, SECRET_KEY, algorithm="HS256")


def user_of(token: str, kind: str) -> User:
    try:
        claims = jwt.decode(token, SECRET_KEY, algorithms=["HS256"], options={"require": ["exp", "sub", "sid"]})
    except jwt.ExpiredSignatureError:
        raise unauthorized(f"The {kind} token has expired") from None
    except jwt.PyJWTError:
        raise unauthorized(f"The {kind} token is not valid") from None
    # Both are signed with one key: without this, a refresh token would be an access token that lives for a month.
    if claims.get("type") != kind:
        raise unauthorized(f"This is no {kind} token")
    if accounts.is_revoked(claims["sid"]):
        raise unauthorized("The session has been signed out")
    return User(name=claims["sub"], session_id=claims["sid"])


def unauthorized(detail: str) -> HTTPException:
    return HTTPException(401, detail, headers={"WWW-Authenticate": "Bearer"})


def current_user(token: Annotated[str, Depends(bearer)]) -> User:
    return user_of(token, "access")


CurrentUser = Annotated[User, Depends(current_user)]

# The routes are plain functions: FastAPI runs those in threads, where hashing and SQLite keep nobody waiting.


def no_store(response: Response) -> None:
    """An answer with tokens belongs in no cache: a GET would be kept otherwise."""
    response.headers["Cache-Control"] = "no-store"


@app.post("/token", dependencies=[Depends(no_store)])
def token(form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> Tokens:
    if not accounts.check(form.username, form.password):
        raise HTTPException(400, "Incorrect username or password")
    user = User(name=form.username, session_id=str(uuid4()))
    return Tokens(
        access_token=make_token("access", ACCESS_SECONDS, user),
        refresh_token=make_token("refresh", REFRESH_SECONDS, user),
    )


@app.get("/refresh_token", dependencies=[Depends(no_store)])
def refresh_by_bearer(refresh_token: Annotated[str, Depends(bearer)]) -> AccessToken:
    return AccessToken(access_token=make_token("access", ACCESS_SECONDS, user_of(refresh_token, "refresh")))


@app.post("/refresh_token", dependencies=[Depends(no_store)])
def refresh_by_body(body: RefreshRequest) -> AccessToken:
    return refresh_by_bearer(body.refresh_token)


@app.post("/logout", status_code=204)
def logout(user: CurrentUser) -> None:
    # Both tokens name their session, so this revokes the refresh token without being shown it.
    accounts.revoke(user.session_id)


@app.get("/me")
def me(user: CurrentUser) -> Me:
    return Me(name=user.name)


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ.get("PORT", "8000")))
