package clients;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;

/** What ../with-house.mjs says about the server that it started. */
record House(JsonNode facts) {
    record Application(String id, String secret) {}

    static House read(String file) throws IOException {
        JsonNode facts = new ObjectMapper().readTree(Path.of(file).toFile());
        Checks.secret(facts.at("/user/password").asText());
        return new House(facts);
    }

    String text(String name) {
        return facts.required(name).asText();
    }

    String algorithm(String name) {
        return facts.required("algorithms").required(name).asText();
    }

    Application application(String name) {
        JsonNode found = facts.required("applications").required(name);
        String secret = Checks.secret(found.required("client_secret").asText());
        return new Application(found.required("client_id").asText(), secret);
    }

    /** Trusts the house's CA where every Java client looks: in the virtual machine's trust store. */
    void trust(String pem) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        try (InputStream file = Files.newInputStream(Path.of(pem))) {
            store.setCertificateEntry("house", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        Path path = Files.createTempFile("tokenhouse-clients-java", ".p12");
        path.toFile().deleteOnExit();
        String password = "changeit";
        try (OutputStream file = Files.newOutputStream(path)) {
            store.store(file, password.toCharArray());
        }
        System.setProperty("javax.net.ssl.trustStore", path.toString());
        System.setProperty("javax.net.ssl.trustStoreType", "PKCS12");
        System.setProperty("javax.net.ssl.trustStorePassword", password);
    }

    /** A GET with a token, or with none. */
    static HttpResponse<String> get(String url, String token) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url));
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        return HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofString());
    }
}
