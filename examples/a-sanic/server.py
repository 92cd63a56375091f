"""Sanic + PyJWT: a refused sign-in or refresh is an HTTP 200 with `code: 0`; app routes answer 401."""

import asyncio
import os
import time
from functools import wraps
from uuid import uuid4

import jwt
from accounts import Accounts
from sanic import Sanic, json
from sanic.exceptions import Forbidden, SanicException, Unauthorized

SECRET_KEY = os.environ["SECRET_KEY"]
ACCESS_SECONDS = int(os.environ.get("ACCESS_SECONDS", "900"))
REFRESH_SECONDS = int(os.environ.get("REFRESH_SECONDS", "2592000"))
ADMINS = os.environ.get("ADMINS", "").split(",")
PERMISSIONS = {"user": ["orders:read"], "admin": ["orders:read", "audit:read"]}
API = "/api/v1/system"

app = Sanic("backend")
# Hashing and SQLite take their time. Asked in a thread, so that they keep no other request waiting.
accounts = Accounts(os.environ.get("DATABASE", "accounts.sqlite"), os.environ.get("DEMO_USERS", ""))


class Refused(Exception):
    """Says no, in words for the client: to a sign-in or a refresh by an HTTP 200 whose body says `code: 0`."""


def roles_of(name):
    return ["user", "admin"] if name in ADMINS else ["user"]


def permissions_of(name):
    return sorted({permission for role in roles_of(name) for permission in PERMISSIONS[role]})


def make_token(kind, seconds, name, session_id):
    now = int(time.time())
    claims = {"sub": name, "sid": session_id, "jti": str(uuid4()), "type": kind, "iat": now, "exp": now + seconds}
    return jwt.encode(claims, SECRET_KEY, algorithm="HS256")


def make_tokens(name, session_id):
    return {
        "token": make_token("access", ACCESS_SECONDS, name, session_id),
        "refresh_token": make_token("refresh", REFRESH_SECONDS, name, session_id),
    }


async def read_token(token, kind):
    """The claims of a token of this kind, if it is good."""
    try:
        claims = jwt.decode(token, SECRET_KEY, algorithms=["HS256"], options={"require": ["exp", "sub", "sid", "jti"]})
    except jwt.ExpiredSignatureError:
        raise Refused(f"The {kind} token has expired") from None
    except jwt.PyJWTError:
        raise Refused(f"The {kind} token is not valid") from None
    # Both are signed with one key: without this, a refresh token would be an access token that lives for a month.
    if claims.get("type") != kind:
        raise Refused(f"This is no {kind} token")
    if await asyncio.to_thread(accounts.is_revoked, claims["sid"]):
        raise Refused("You have signed out")
    return claims


def protected(permission=None):
    def decorate(handler):
        @wraps(handler)
        async def guarded(request, *args, **kwargs):
            try:
                request.ctx.claims = await read_token(request.token or "", "access")
            except Refused as refusal:
                raise Unauthorized(str(refusal), scheme="Bearer") from None
            # Looked up each time: what the client got at sign-in decides only what it shows.
            if permission and permission not in permissions_of(request.ctx.claims["sub"]):
                raise Forbidden("You may not see this")
            return await handler(request, *args, **kwargs)

        return guarded

    return decorate


def posted(request, field):
    """A text of the JSON body, or an empty one."""
    body = request.json
    value = body.get(field) if isinstance(body, dict) else None
    return value if isinstance(value, str) else ""


@app.exception(Refused)
async def say_no(_request, refusal):
    return json({"code": 0, "message": str(refusal)})


@app.exception(SanicException)
async def say_why(_request, error):
    return json({"message": str(error)}, status=error.status_code, headers=error.headers)


@app.post(f"{API}/login/")
async def login(request):
    name = posted(request, "username")
    if not await asyncio.to_thread(accounts.check, name, posted(request, "password")):
        raise Refused("Wrong user name or password")
    answer = {"code": 1, "permissions": permissions_of(name), "roles": roles_of(name)}
    return json({**answer, **make_tokens(name, str(uuid4()))})


@app.post(f"{API}/refresh_token/")
async def refresh_token(request):
    claims = await read_token(posted(request, "refresh_token"), "refresh")
    # Good once, also for two who come with it at the same moment.
    if not await asyncio.to_thread(accounts.revoke, claims["jti"]):
        raise Refused("The refresh token has been used")
    return json({"code": 1, **make_tokens(claims["sub"], claims["sid"])})


@app.post(f"{API}/logout/")
@protected()
async def logout(request):
    # Every token of the session names it, so this revokes the refresh token without being shown it.
    await asyncio.to_thread(accounts.revoke, request.ctx.claims["sid"])
    return json({"code": 1})


@app.get(f"{API}/me/")
@protected()
async def me(request):
    return json({"code": 1, "name": request.ctx.claims["sub"]})


@app.get(f"{API}/audit/")
@protected("audit:read")
async def audit(_request):
    return json({"code": 1, "entries": []})


if __name__ == "__main__":
    app.run(
        host="127.0.0.1",
        port=int(os.environ.get("PORT", "8000")),
        access_log=True,
        motd=False,
        single_process=True,
    )
