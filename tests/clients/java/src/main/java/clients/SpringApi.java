package clients;

import static clients.Checks.check;
import static clients.Checks.equal;
import static clients.Checks.holds;

import com.auth0.client.auth.AuthAPI;
import java.net.http.HttpResponse;
import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** A Spring Boot API, its resource server told nothing but the issuer, the audiences and the algorithms. */
final class SpringApi {
    private SpringApi() {}

    @Configuration
    @EnableAutoConfiguration
    @Import(Routes.class)
    static class App {
        @Bean
        SecurityFilterChain rules(HttpSecurity http) throws Exception {
            return http.authorizeHttpRequests(requests -> requests
                            .requestMatchers("/write").hasAuthority("SCOPE_write:messages")
                            .anyRequest().authenticated())
                    .oauth2ResourceServer(server -> server.jwt(Customizer.withDefaults()))
                    .build();
        }
    }

    @RestController
    static class Routes {
        @GetMapping({"/private", "/write"})
        Map<String, Object> answer(@AuthenticationPrincipal Jwt token) {
            return Map.of("sub", token.getSubject());
        }
    }

    static void run(House house) {
        String property = "spring.security.oauth2.resourceserver.jwt.";
        SpringApplication application = new SpringApplication(App.class);
        application.setLogStartupInfo(false);
        application.setDefaultProperties(Map.of(
                "server.port", "0",
                "server.address", "127.0.0.1",
                "spring.main.banner-mode", "off",
                "logging.level.root", "warn",
                property + "issuer-uri", house.text("issuer"),
                property + "audiences",
                        String.join(",", house.text("audience"), house.algorithm("ES256"), house.algorithm("PS256")),
                property + "jws-algorithms", "RS256,ES256,PS256"));
        try (ConfigurableApplicationContext context = application.run()) {
            run(house, "http://127.0.0.1:" + context.getEnvironment().getProperty("local.server.port"));
        }
    }

    private static void run(House house, String api) {
        String audience = house.text("audience");
        check("Spring Security: a token of the issuer, found by discovery, is taken", () -> {
            House.Application sample = house.application("sample");
            HttpResponse<String> answer = House.get(api + "/private", token(house, "sample", audience));
            equal("the status", answer.statusCode(), 200);
            equal("the body", answer.body(), "{\"sub\":\"" + sample.id() + "@clients\"}");
        });
        for (String algorithm : new String[] {"ES256", "PS256"}) {
            check("Spring Security: a token signed with " + algorithm + " is taken", () -> {
                String token = token(house, "algorithms", house.algorithm(algorithm));
                equal("the status", House.get(api + "/private", token).statusCode(), 200);
            });
        }
        check("Spring Security: a scope is an authority, and a missing one is 403", () -> {
            equal("with it", House.get(api + "/write", token(house, "sample", audience)).statusCode(), 200);
            HttpResponse<String> without = House.get(api + "/write", token(house, "reader", audience));
            equal("without it", without.statusCode(), 403);
            holds("the challenge does not name the error", challenge(without).contains("insufficient_scope"));
        });
        check("Spring Security: no token, another API's and a changed one are 401", () -> {
            equal("without one", House.get(api + "/private", null).statusCode(), 401);
            String other = token(house, "algorithms", house.algorithm("EdDSA"));
            equal("another API's", House.get(api + "/private", other).statusCode(), 401);
            String good = token(house, "sample", audience);
            // In the middle of the signature: the last character has bits that say nothing.
            int place = good.lastIndexOf('.') + 100;
            char digit = good.charAt(place) == 'A' ? 'B' : 'A';
            String changed = good.substring(0, place) + digit + good.substring(place + 1);
            HttpResponse<String> refused = House.get(api + "/private", changed);
            equal("a changed one", refused.statusCode(), 401);
            holds("the challenge does not name the error", challenge(refused).contains("invalid_token"));
        });
    }

    private static String token(House house, String name, String audience) throws Exception {
        House.Application application = house.application(name);
        AuthAPI client = AuthAPI.newBuilder(house.text("domain"), application.id(), application.secret()).build();
        return Checks.secret(client.requestToken(audience).execute().getBody().getAccessToken());
    }

    private static String challenge(HttpResponse<String> answer) {
        return answer.headers().firstValue("WWW-Authenticate").orElse("");
    }
}
