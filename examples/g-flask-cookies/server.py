"""Flask-JWT-Extended with HttpOnly cookies and double-submit CSRF tokens: script never sees a token."""

import os
from datetime import timedelta
from uuid import uuid4

from accounts import Accounts
from flask import Flask, jsonify, request
from flask_jwt_extended import (
    JWTManager,
    create_access_token,
    create_refresh_token,
    get_jwt,
    get_jwt_identity,
    jwt_required,
    set_access_cookies,
    set_refresh_cookies,
    unset_jwt_cookies,
)

app = Flask(__name__)
app.config.update(
    JWT_SECRET_KEY=os.environ["SECRET_KEY"],
    JWT_TOKEN_LOCATION=["cookies"],
    JWT_COOKIE_CSRF_PROTECT=True,
    JWT_COOKIE_SAMESITE="Strict",
    # Only over https, except where somebody says so: on a developer's machine.
    JWT_COOKIE_SECURE=os.environ.get("COOKIE_SECURE", "1") == "1",
    # The refresh token goes where it is needed, and nowhere else.
    JWT_REFRESH_COOKIE_PATH="/auth/refresh",
    JWT_ACCESS_TOKEN_EXPIRES=timedelta(seconds=int(os.environ.get("ACCESS_SECONDS", "900"))),
    JWT_REFRESH_TOKEN_EXPIRES=timedelta(seconds=int(os.environ.get("REFRESH_SECONDS", "2592000"))),
)
jwt = JWTManager(app)
accounts = Accounts(os.environ.get("DATABASE", "accounts.sqlite"), os.environ.get("DEMO_USERS", ""))


@jwt.token_in_blocklist_loader
def is_signed_out(_header, payload):
    return accounts.is_revoked(payload["sid"])


@app.post("/auth/login")
def login():
    body = request.get_json()
    username = str(body.get("username", ""))
    if not accounts.check(username, str(body.get("password", ""))):
        return jsonify(msg="Bad username or password"), 401
    # Both tokens name the session, so that signing out revokes the refresh token as well.
    session = {"sid": str(uuid4())}
    response = jsonify(name=username)
    set_access_cookies(response, create_access_token(username, additional_claims=session))
    set_refresh_cookies(response, create_refresh_token(username, additional_claims=session))
    return response


@app.post("/auth/refresh")
@jwt_required(refresh=True)
def refresh():
    name = get_jwt_identity()
    response = jsonify(name=name)
    set_access_cookies(response, create_access_token(name, additional_claims={"sid": get_jwt()["sid"]}))
    return response


@app.post("/auth/logout")
@jwt_required()
def logout():
    accounts.revoke(get_jwt()["sid"])
    response = jsonify(msg="Signed out")
    unset_jwt_cookies(response)
    return response


@app.get("/auth/me")
@jwt_required()
def me():
    return jsonify(name=get_jwt_identity())


@app.post("/orders")
@jwt_required()
def order():
    return jsonify(name=get_jwt_identity(), order=request.get_json()), 201


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ.get("PORT", "5000")), threaded=True)
