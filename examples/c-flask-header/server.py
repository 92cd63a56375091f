"""Flask-JWT-Extended with Bearer headers; users sign in with a password or with Google."""

import os
from datetime import timedelta
from uuid import uuid4

import google.auth.transport.requests
import jwt
from accounts import Accounts
from flask import Flask, jsonify, request
from flask_jwt_extended import (
    JWTManager,
    create_access_token,
    create_refresh_token,
    get_jwt,
    get_jwt_identity,
    jwt_required,
)
from google.auth.exceptions import GoogleAuthError, TransportError
from google.oauth2.id_token import verify_token

GOOGLE_CLIENT_ID = os.environ["GOOGLE_CLIENT_ID"]
GOOGLE_KEYS_URL = os.environ.get("GOOGLE_KEYS_URL", "https://www.googleapis.com/oauth2/v3/certs")
GOOGLE_ISSUERS = ("accounts.google.com", "https://accounts.google.com")

app = Flask(__name__)
app.config.update(
    JWT_SECRET_KEY=os.environ["SECRET_KEY"],
    JWT_TOKEN_LOCATION=["headers"],
    JWT_ACCESS_TOKEN_EXPIRES=timedelta(seconds=int(os.environ.get("ACCESS_SECONDS", "900"))),
    JWT_REFRESH_TOKEN_EXPIRES=timedelta(seconds=int(os.environ.get("REFRESH_SECONDS", "2592000"))),
)
jwt_manager = JWTManager(app)
accounts = Accounts(os.environ.get("DATABASE", "accounts.sqlite"), os.environ.get("DEMO_USERS", ""))


@jwt_manager.token_in_blocklist_loader
def is_signed_out(_header, payload):
    return accounts.is_revoked(payload["sid"])


def start_session(identity, name):
    # Both tokens name the session, so that signing out can revoke the refresh token without being shown it.
    session = {"sid": str(uuid4()), "name": name}
    return jsonify(
        access_token=create_access_token(identity, additional_claims=session),
        refresh_token=create_refresh_token(identity, additional_claims=session),
    )


def posted(field):
    """A text of the JSON body, or an empty one."""
    body = request.get_json(silent=True)
    value = body.get(field) if isinstance(body, dict) else None
    return value if isinstance(value, str) else ""


@app.post("/auth/login")
def login():
    username = posted("username")
    if not accounts.check(username, posted("password")):
        return jsonify(msg="Bad username or password"), 401
    return start_session(f"local:{username}", username)


@app.post("/auth/google")
def google_login():
    try:
        claims = verify_token(
            posted("id_token"),
            google.auth.transport.requests.Request(),
            # Without it, an id token that another site got for this user would be good here.
            audience=GOOGLE_CLIENT_ID,
            certs_url=GOOGLE_KEYS_URL,
        )
        if claims["iss"] not in GOOGLE_ISSUERS or claims["exp"] is None:
            raise ValueError("not an id token of Google")
    except TransportError:
        return jsonify(msg="Google's keys cannot be fetched"), 503
    except (GoogleAuthError, jwt.PyJWTError, ValueError, KeyError):
        return jsonify(msg="Bad id token"), 401
    # `sub` stays the same for life; an e-mail address can get another owner.
    return start_session(f"google:{claims['sub']}", claims.get("name", ""))


@app.post("/auth/refresh")
@jwt_required(refresh=True)
def refresh():
    claims = get_jwt()
    session = {"sid": claims["sid"], "name": claims["name"]}
    return jsonify(access_token=create_access_token(get_jwt_identity(), additional_claims=session))


@app.post("/auth/logout")
@jwt_required()
def logout():
    accounts.revoke(get_jwt()["sid"])
    return "", 204


@app.get("/auth/me")
@jwt_required()
def me():
    return jsonify(id=get_jwt_identity(), name=get_jwt()["name"])


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ.get("PORT", "5000")), threaded=True)
