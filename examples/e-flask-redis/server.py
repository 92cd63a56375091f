"""Flask + Redis: nobody asks for a refresh. The server itself renews a token that has expired, within a window."""

import os
import time
from uuid import uuid4

import jwt
from accounts import Accounts
from flask import Flask, g, jsonify, request
from flask_httpauth import HTTPBasicAuth
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

SECRET_KEY = os.environ["SECRET_KEY"]
ACCESS_SECONDS = int(os.environ.get("ACCESS_SECONDS", "900"))
# How long after its end a token is still renewed: the longest pause a user may make without signing in again.
REFRESH_SECONDS = int(os.environ.get("REFRESH_SECONDS", "86400"))
# How long the requests that were sent together with a token's last one may take to arrive.
GRACE_SECONDS = 30

app = Flask(__name__)
auth = HTTPBasicAuth()
accounts = Accounts(os.environ.get("DATABASE", "accounts.sqlite"), os.environ.get("DEMO_USERS", ""))
redis = Redis.from_url(
    os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0"),
    decode_responses=True,
    socket_timeout=2,
    retry=Retry(NoBackoff(), 1),
)


def make_token(name, session_id):
    # The times are in the JWS header, where the signature covers them: to a client this is an opaque token.
    now = int(time.time())
    claims = {"sub": name, "sid": session_id, "jti": str(uuid4())}
    return jwt.encode(claims, SECRET_KEY, algorithm="HS256", headers={"iat": now, "exp": now + ACCESS_SECONDS})


def renew(claims):
    """The new token for an expired one: the same for all requests that come with it now."""
    key = f"renewed:{claims['jti']}"
    token = make_token(claims["sub"], claims["sid"])
    if redis.set(key, token, nx=True, ex=GRACE_SECONDS):
        return token
    # Another request was faster. This one passes as well, and brings the same token, should that answer get lost.
    return redis.get(key) or token


@auth.verify_password
def verify_token(token, _password):
    # A link or an image cannot send a header: for those there is the cookie. Only for GET, which changes nothing.
    if not token and request.method == "GET":
        token = request.cookies.get("token", "")
    try:
        claims = jwt.decode(token, SECRET_KEY, algorithms=["HS256"])
        expires_at = jwt.get_unverified_header(token)["exp"]  # decode() has just verified it
    except (jwt.PyJWTError, KeyError):
        g.refusal = {"msg": "Invalid token", "error_code": 1002}
        return None
    if accounts.is_revoked(claims["sid"]):
        g.refusal = {"msg": "Signed out", "error_code": 1003}
        return None
    expired_for = time.time() - expires_at
    if expired_for >= REFRESH_SECONDS:
        g.refusal = {"msg": "Token has expired", "error_code": 1004}
        return None
    if expired_for >= 0:
        g.new_token = renew(claims)
    g.session_id = claims["sid"]
    return claims["sub"]


@auth.error_handler
def refuse(status):
    response = jsonify(g.refusal)
    # Not "Basic": at that, browsers ask the user for a password in a window of their own.
    response.headers["WWW-Authenticate"] = "Token"
    return response, status


@app.after_request
def push_new_token(response):
    token = g.pop("new_token", None)
    if token is not None:
        response.headers["Authorization"] = token
        set_cookie(response, token)
    return response


def set_cookie(response, token):
    secure = os.environ.get("COOKIE_SECURE", "1") == "1"
    response.set_cookie("token", token, httponly=True, samesite="Strict", secure=secure)


@app.errorhandler(RedisError)
def without_redis(_error):
    return jsonify(msg="Try again in a moment"), 503


@app.post("/login")
def login():
    body = request.get_json()
    name = str(body.get("username", ""))
    if not accounts.check(name, str(body.get("password", ""))):
        return jsonify(msg="Bad username or password", error_code=1001), 401
    token = make_token(name, str(uuid4()))
    response = jsonify(token=token)
    set_cookie(response, token)
    return response


@app.post("/logout")
@auth.login_required
def logout():
    accounts.revoke(g.session_id)
    g.pop("new_token", None)
    response = jsonify(msg="Signed out")
    response.delete_cookie("token")
    return response


@app.get("/me")
@auth.login_required
def me():
    return jsonify(name=auth.current_user())


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ.get("PORT", "5000")), threaded=True)
