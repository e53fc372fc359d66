package io.tinyfaas.contract.route;

import java.util.Objects;

/**
 * One running container of a function.
 *
 * @param id unique among all handlers that ever ran, so that a gateway never mistakes a new handler
 *     for the one whose address it took over
 */
public record Handler(String id, HandlerEndpoint endpoint) {
  public Handler {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(endpoint, "endpoint");
  }
}
