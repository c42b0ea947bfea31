"""The API's promises, each kept against a real issuer."""

import jwt
import pytest


def test_without_a_token_401(call):
    assert call() == 401


def test_without_the_scope_403(call, double):
    assert call(double.token("Messenger", scope="write:messages")) == 403


def test_with_both_200(call, double):
    assert call(double.token("Messenger", scope="read:messages")) == 200


@pytest.mark.parametrize(
    "fault", ["expired", "not_yet_valid", "wrong_audience", "wrong_issuer", "wrong_key", "unknown_key"]
)
def test_a_spoilt_token_401(call, double, fault):
    double.steer("PUT", "faults/next_token", {"is": fault})
    assert call(double.token("Messenger")) == 401


def test_without_the_issuers_keys_503_which_blames_no_token(call, double):
    double.steer("PUT", "faults/jwks", {"status": 503})
    assert call(double.token("Messenger")) == 503


def test_a_rotation_refuses_nobody(call, double):
    old = double.token("Messenger")
    assert call(old) == 200
    double.steer("POST", "rotate")
    fresh = double.token("Messenger")
    assert kid(fresh) != kid(old)
    assert call(fresh) == 200
    assert call(old) == 200


def kid(token):
    return jwt.get_unverified_header(token)["kid"]
