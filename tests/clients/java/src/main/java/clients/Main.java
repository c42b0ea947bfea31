package clients;

/** Asks a Tokenhouse for tokens with the Java client that Auth0 publishes, and shows them to a Spring Boot API. */
public final class Main {
    public static void main(String[] arguments) {
        try {
            House house = House.read(System.getenv("TOKENHOUSE_HOUSE"));
            house.trust(System.getenv("SSL_CERT_FILE"));
            Auth0Client.run(house);
            SpringApi.run(house);
        } catch (Exception error) {
            Checks.check("the Java clients run to their end", () -> {
                throw error;
            });
        }
        // Servers and connection pools keep threads.
        System.exit(Checks.totals());
    }
}
