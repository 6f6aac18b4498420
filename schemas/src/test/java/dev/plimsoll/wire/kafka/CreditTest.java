package dev.plimsoll.wire.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Demand arithmetic against one that cannot overflow. */
final class CreditTest {
    @Test
    void creditIsThatOfExactArithmeticThatSaturates() {
        for (long seed = 0; seed < 500; seed++) {
            Random random = new Random(seed);
            Credit credit = new Credit();
            BigInteger exact = BigInteger.ZERO;
            BigInteger max = BigInteger.valueOf(Long.MAX_VALUE);
            for (int i = 0; i < 50; i++) {
                if (random.nextBoolean()) {
                    long more = 1 + (random.nextLong() >>> (1 + random.nextInt(63)));
                    more = more < 1 ? Long.MAX_VALUE : more;
                    credit.add(more);
                    exact = exact.equals(max)
                            ? max
                            : exact.add(BigInteger.valueOf(more)).min(max);
                } else {
                    boolean expected = exact.signum() > 0;
                    assertThat(credit.take()).as("seed " + seed).isEqualTo(expected);
                    exact = expected && !exact.equals(max) ? exact.subtract(BigInteger.ONE) : exact;
                }
                assertThat(credit.any()).as("seed " + seed).isEqualTo(exact.signum() > 0);
            }
        }
    }

    @Test
    void cancelledCreditStaysNone() {
        Credit credit = new Credit();
        credit.add(5);
        credit.cancel();
        credit.add(Long.MAX_VALUE);
        assertThat(credit.take()).isFalse();
        assertThat(credit.any()).isFalse();
    }
}
