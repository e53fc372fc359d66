package io.tinyfaas.manager.api;

import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Response;
import java.net.URI;

/** Leads whoever opens the manager in a browser to what it can be asked. */
@Path("/")
class FrontPage {

  @GET
  public Response documentation() {
    return Response.seeOther(URI.create("/q/swagger-ui/")).build();
  }
}
