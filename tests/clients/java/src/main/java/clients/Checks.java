package clients;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashSet;
import java.util.Objects;
import java.util.Set;

/** Checks, one line each, the totals, and the secrets that no log may contain. */
final class Checks {
    /** One promise; it throws where it is not kept. */
    interface Promise {
        void check() throws Exception;
    }

    private static final Set<String> SECRETS = new LinkedHashSet<>();
    private static int passed;
    private static int failed;

    private Checks() {}

    static void check(String name, Promise promise) {
        try {
            promise.check();
            passed++;
            System.out.println("ok    " + name);
        } catch (Exception | AssertionError error) {
            failed++;
            String reason = String.valueOf(error).replace('\n', ' ');
            for (String secret : SECRETS) {
                reason = reason.replace(secret, "[secret]");
            }
            System.out.println("FAIL  " + name + ": " + reason);
        }
    }

    static void equal(String what, Object found, Object wanted) {
        if (!Objects.equals(found, wanted)) {
            throw new AssertionError(what + " is " + found + ", not " + wanted);
        }
    }

    static void holds(String what, boolean holds) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    /** Remembers a value, so that it is masked here and looked for in every log by scripts/test. */
    static String secret(String value) {
        String file = System.getenv("TOKENHOUSE_TEST_SECRETS");
        if (value.length() >= 8 && SECRETS.add(value) && file != null) {
            try {
                Files.writeString(Path.of(file), value + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            } catch (IOException error) {
                throw new AssertionError("the list of secrets cannot be written", error);
            }
        }
        return value;
    }

    /** Prints the totals, alone on the last line, and answers the exit code. */
    static int totals() {
        System.out.println(passed + " passed, " + failed + " failed");
        return passed > 0 && failed == 0 ? 0 : 1;
    }
}
