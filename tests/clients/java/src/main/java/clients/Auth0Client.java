package clients;

import static clients.Checks.check;
import static clients.Checks.equal;
import static clients.Checks.holds;
import static clients.Checks.secret;

import com.auth0.client.auth.AuthAPI;
import com.auth0.client.auth.RSAClientAssertionSigner;
import com.auth0.exception.APIException;
import com.auth0.exception.Auth0Exception;
import com.auth0.json.auth.TokenHolder;
import com.auth0.net.TokenRequest;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.interfaces.RSAPrivateKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;

/** com.auth0:auth0, its AuthAPI. */
final class Auth0Client {
    private static final String WRONG = "a-secret-of-no-java-client-at-all";

    private Auth0Client() {}

    static void run(House house) {
        String audience = house.text("audience");
        AuthAPI sample = api(house, house.application("sample"));
        AuthAPI people = api(house, house.application("password"));
        String username = house.facts().at("/user/username").asText();
        char[] password = house.facts().at("/user/password").asText().toCharArray();

        check("auth0: requestToken gets a token that the sample API takes", () -> {
            TokenHolder token = token(sample.requestToken(audience));
            equal("token_type", token.getTokenType(), "Bearer");
            equal("expires_in", token.getExpiresIn(), 86400L);
            equal("scope", token.getScope(), "read:messages write:messages");
            String api = house.text("api_url") + "/api/private-scoped";
            equal("the sample API's answer", House.get(api, token.getAccessToken()).statusCode(), 200);
        });
        check("auth0: requestToken with a scope gets that one", () -> {
            TokenHolder token = token(sample.requestToken(audience).setScope("read:messages"));
            equal("scope", token.getScope(), "read:messages");
        });
        check("auth0: login with a password, and userInfo of whom it is for", () -> {
            TokenHolder token = token(people.login(username, password).setAudience(audience).setScope("openid email"));
            holds("an ID token is missing", token.getIdToken() != null);
            secret(token.getIdToken());
            Object email = people.userInfo(token.getAccessToken()).execute().getBody().getValues().get("email");
            equal("email", email, username);
        });
        check("auth0: login with a realm", () -> {
            String realm = "Username-Password-Authentication";
            TokenHolder token = token(people.login(username, password, realm).setAudience(audience));
            equal("token_type", token.getTokenType(), "Bearer");
        });
        check("auth0: a wrong secret is an APIException, 401 access_denied", () -> {
            House.Application wrong = new House.Application(house.application("sample").id(), secret(WRONG));
            refused(api(house, wrong).requestToken(audience), 401, "access_denied");
        });
        check("auth0: a wrong password is an APIException, 403 invalid_grant, isInvalidCredentials", () -> {
            APIException refusal = refused(people.login(username, WRONG.toCharArray()), 403, "invalid_grant");
            holds("it is not recognised as invalid credentials", refusal.isInvalidCredentials());
        });
        check("auth0: RSAClientAssertionSigner, a new assertion for each token", () -> {
            AuthAPI signing = AuthAPI.newBuilder(
                    house.text("domain"),
                    house.facts().at("/signers/RS256/client_id").asText(),
                    new RSAClientAssertionSigner(privateKey(house)))
                    .build();
            for (int time = 0; time < 2; time++) {
                token(signing.requestToken(house.text("strict")));
            }
        });
    }

    private static AuthAPI api(House house, House.Application application) {
        return AuthAPI.newBuilder(house.text("domain"), application.id(), application.secret()).build();
    }

    private static TokenHolder token(TokenRequest request) throws Auth0Exception {
        TokenHolder token = request.execute().getBody();
        secret(token.getAccessToken());
        return token;
    }

    private static APIException refused(TokenRequest request, int status, String error) throws Auth0Exception {
        try {
            token(request);
        } catch (APIException refusal) {
            equal("the status", refusal.getStatusCode(), status);
            equal("the error", refusal.getError(), error);
            return refusal;
        }
        throw new AssertionError("a token was given");
    }

    private static RSAPrivateKey privateKey(House house) throws GeneralSecurityException {
        String pem = house.facts().at("/signers/RS256/private_key").asText();
        byte[] bytes = Base64.getMimeDecoder().decode(pem.replaceAll("-----[A-Z ]+-----", ""));
        return (RSAPrivateKey) KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(bytes));
    }
}
