package io.tinyfaas.manager.api;

import io.smallrye.common.annotation.RunOnVirtualThread;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.runtime.Runtimes;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.util.List;

/** What a specification may name as its runtime. */
@Path("/runtimes")
@Produces(MediaType.APPLICATION_JSON)
@RunOnVirtualThread
class RuntimeResource {

  private final Runtimes runtimes;

  RuntimeResource(Runtimes runtimes) {
    this.runtimes = runtimes;
  }

  /**
   * @param built whether its image is there; else it is built at its first use
   */
  record RuntimeDescription(String name, List<String> aliases, boolean built) {}

  @GET
  public List<RuntimeDescription> list() {
    try {
      return runtimes.list().stream()
          .map(r -> new RuntimeDescription(r.name(), r.aliases(), !r.image().isEmpty()))
          .toList();
    } catch (RuntimeException e) {
      throw ProblemException.ofFailure(e);
    }
  }
}
