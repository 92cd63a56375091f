"""Flask-JWT-Extended with the tokens in the JSON body: no header, no cookie, and so no protected GET."""

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
)

app = Flask(__name__)
app.config.update(
    JWT_SECRET_KEY=os.environ["SECRET_KEY"],
    JWT_TOKEN_LOCATION=["json"],
    JWT_JSON_KEY="token",
    JWT_REFRESH_JSON_KEY="refresh_token",
    JWT_ACCESS_TOKEN_EXPIRES=timedelta(seconds=int(os.environ.get("ACCESS_SECONDS", "5"))),
    JWT_REFRESH_TOKEN_EXPIRES=timedelta(seconds=int(os.environ.get("REFRESH_SECONDS", "2592000"))),
)
jwt = JWTManager(app)
accounts = Accounts(os.environ.get("DATABASE", "accounts.sqlite"), os.environ.get("DEMO_USERS", ""))


@jwt.token_in_blocklist_loader
def is_signed_out(_header, payload):
    return accounts.is_revoked(payload["sid"])


@app.post("/login")
def login():
    username = request.form.get("username", "")
    if not accounts.check(username, request.form.get("password", "")):
        return jsonify(msg="Bad username or password"), 401
    # Both tokens name the session, so that signing out can revoke the refresh token without being shown it.
    session = {"sid": str(uuid4())}
    return jsonify(
        access_token=create_access_token(username, additional_claims=session),
        refresh_token=create_refresh_token(username, additional_claims=session),
    )


@app.post("/refresh")
@jwt_required(refresh=True)
def refresh():
    session = {"sid": get_jwt()["sid"]}
    return jsonify(access_token=create_access_token(get_jwt_identity(), additional_claims=session))


@app.post("/logout")
@jwt_required()
def logout():
    accounts.revoke(get_jwt()["sid"])
    return "", 204


@app.post("/me")
@jwt_required()
def me():
    return jsonify(name=get_jwt_identity())


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ.get("PORT", "5000")), threaded=True)
