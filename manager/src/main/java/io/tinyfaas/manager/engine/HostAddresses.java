package io.tinyfaas.manager.engine;

import com.github.dockerjava.api.model.HostConfig;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;
import java.util.Set;

/** The addresses of the box, which this process' own network does not show. */
@ApplicationScoped
public class HostAddresses {

  /** Of the containers that look. */
  public static final String ROLE = "addresses";

  private static final String NOBODY = "65534:65534";

  private final HostCommand host;

  HostAddresses(HostCommand host) {
    this.host = host;
  }

  /**
   * @return as text, without loopback and link-local ones
   * @throws ProblemException ENGINE_UNAVAILABLE
   */
  public Set<String> list() {
    HostCommand.Result result;
    try {
      result = host.run(ROLE, NOBODY, HostConfig.newHostConfig(), "hostname", "--all-ip-addresses");
    } catch (RuntimeException e) {
      throw ProblemException.ofFailure(e);
    }
    if (result.exit() != 0 || result.output().isEmpty()) {
      throw ProblemException.of(
          ProblemType.ENGINE_UNAVAILABLE,
          "The box' own addresses could not be found: " + result.output());
    }
    return Set.copyOf(List.of(result.output().split("\\s+")));
  }
}
