import java.util.BitSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The paper's function: the primes up to 1,000 by the sieve of Eratosthenes, computed for each request. */
public class Sieve implements Function<String, String> {

  private static final int MAX = 1_000;

  @Override
  public String apply(String ignored) {
    BitSet primes = new BitSet(MAX + 1);
    primes.set(2, MAX + 1);
    for (int n = 2; n * n <= MAX; n++) {
      if (primes.get(n)) {
        for (int multiple = n * n; multiple <= MAX; multiple += n) {
          primes.clear(multiple);
        }
      }
    }
    return primes.stream().mapToObj(Integer::toString).collect(Collectors.joining(","));
  }
}
