"""Owns what a backend has to remember: its users, and the sessions that were signed out.

Promise: it is in one SQLite file, so a restart forgets nothing; of a password only a salted scrypt hash is kept.
"""

import hashlib
import hmac
import secrets
import sqlite3
from contextlib import closing

SCHEMA = """
CREATE TABLE IF NOT EXISTS users (name TEXT PRIMARY KEY, salt BLOB NOT NULL, hash BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS revoked (session_id TEXT PRIMARY KEY);
"""
NOBODY = (bytes(16), bytes(32))


class Accounts:
    def __init__(self, path: str, demo_users: str = "") -> None:
        """`demo_users`: "name:password,name:password"; those that exist already are left as they are."""
        self._path = path
        with closing(self._connect()) as db, db:
            db.executescript(SCHEMA)
        for user in filter(None, demo_users.split(",")):
            name, password = user.split(":", 1)
            if self._credentials(name) is None:
                self.add(name, password)

    def add(self, name: str, password: str) -> None:
        salt = secrets.token_bytes(16)
        with closing(self._connect()) as db, db:
            db.execute("INSERT INTO users VALUES (?, ?, ?)", (name, salt, _hash(password, salt)))

    def exists(self, name: str) -> bool:
        return self._credentials(name) is not None

    def check(self, name: str, password: str) -> bool:
        """Takes as long for a name that nobody has, so that names cannot be found out by the time it takes."""
        salt, expected = self._credentials(name) or NOBODY
        return hmac.compare_digest(_hash(password, salt), expected)

    def revoke(self, session_id: str) -> bool:
        """Signs a session out for good: every token that names it. Only the first who asks gets `True`."""
        with closing(self._connect()) as db, db:
            return db.execute("INSERT OR IGNORE INTO revoked VALUES (?)", (session_id,)).rowcount == 1

    def is_revoked(self, session_id: str) -> bool:
        with closing(self._connect()) as db:
            return db.execute("SELECT 1 FROM revoked WHERE session_id = ?", (session_id,)).fetchone() is not None

    def _credentials(self, name: str):
        with closing(self._connect()) as db:
            return db.execute("SELECT salt, hash FROM users WHERE name = ?", (name,)).fetchone()

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=10)


def _hash(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32)
