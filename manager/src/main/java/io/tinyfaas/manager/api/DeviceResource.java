package io.tinyfaas.manager.api;

import static io.tinyfaas.manager.problem.ProblemType.INVALID_REQUEST;
import static io.tinyfaas.manager.problem.ProblemType.UNSUPPORTED_MEDIA_TYPE;

import io.smallrye.common.annotation.RunOnVirtualThread;
import io.tinyfaas.contract.device.DeviceName;
import io.tinyfaas.contract.device.DeviceTopics;
import io.tinyfaas.manager.device.DeviceRegistry;
import io.tinyfaas.manager.problem.Problem;
import io.tinyfaas.manager.problem.ProblemException;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.PUT;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Who may connect by DTLS and MQTT. {@code META-INF/openapi.yaml} tells the whole of it. */
@Path("/devices")
@Produces(MediaType.APPLICATION_JSON)
@RunOnVirtualThread
class DeviceResource {

  /** Of a certificate in PEM, one of a large authority has about 3 KB; or of 64 topic filters. */
  private static final int MAX_BYTES = 64 * 1_024;

  private static final MediaType PEM = MediaType.valueOf("application/x-pem-file");

  private final DeviceRegistry devices;

  DeviceResource(DeviceRegistry devices) {
    this.devices = devices;
  }

  @GET
  public List<DeviceDescription> list() {
    return devices.list().stream().map(DeviceDescription::of).toList();
  }

  @GET
  @Path("{name}")
  public DeviceDescription get(@PathParam("name") String name) {
    return DeviceDescription.of(devices.get(deviceName(name)));
  }

  @PUT
  @Path("{name}")
  public Response register(
      @PathParam("name") String name,
      @Context UriInfo uri,
      @Context HttpHeaders headers,
      InputStream body)
      throws IOException {
    DeviceName device = deviceName(name);
    boolean authority = authority(uri);
    byte[] content = body.readNBytes(MAX_BYTES + 1);
    DeviceDescription registered;
    if (content.length > MAX_BYTES) {
      throw invalid("certificate", "The body is larger than " + MAX_BYTES + " bytes.");
    } else if (content.length == 0 && !authority) {
      registered = DeviceDescription.of(devices.registerWithNewKey(device, Optional.empty()));
    } else if (MediaType.APPLICATION_JSON_TYPE.isCompatible(headers.getMediaType())) {
      registered = register(device, DeviceDocument.of(content), authority);
    } else {
      require(headers, PEM);
      registered = registerCertificate(device, content, authority, Optional.empty());
    }
    return Response.created(uri.getAbsolutePath()).entity(registered).build();
  }

  private static boolean authority(UriInfo uri) {
    for (Map.Entry<String, List<String>> parameter : uri.getQueryParameters().entrySet()) {
      if (!parameter.getKey().equals("authority")) {
        throw invalid(parameter.getKey(), "The query is authority=true, or empty.");
      }
    }
    List<String> values = uri.getQueryParameters().getOrDefault("authority", List.of("false"));
    if (values.size() != 1 || !values.getFirst().matches("true|false")) {
      throw invalid("authority", "authority is true or false.");
    }
    return values.getFirst().equals("true");
  }

  private static void require(HttpHeaders headers, MediaType type) {
    if (headers.getMediaType() == null || !type.isCompatible(headers.getMediaType())) {
      throw ProblemException.of(
          UNSUPPORTED_MEDIA_TYPE,
          "Send no body for a new key; a certificate with -H 'Content-Type: application/x-pem-file'"
              + " (curl --data-binary @device.pem); or with -H 'Content-Type: application/json'"
              + " {\"keyHex\": …, \"mqtt\": …}, the key that a device has already, and what it may"
              + " publish and subscribe.");
    }
  }

  private DeviceDescription register(
      DeviceName device, DeviceDocument document, boolean authority) {
    if (document.certificate().isPresent()) {
      return registerCertificate(
          device, document.certificate().get(), authority, document.topics());
    }
    if (authority) {
      throw invalid("certificate", "An authority is registered by its certificate.");
    }
    return DeviceDescription.of(
        document
            .key()
            .map(key -> devices.registerWithKey(device, key, document.topics()))
            .orElseGet(() -> devices.registerWithNewKey(device, document.topics())));
  }

  private DeviceDescription registerCertificate(
      DeviceName device, byte[] pem, boolean authority, Optional<DeviceTopics> mqtt) {
    return DeviceDescription.of(
        authority
            ? devices.registerAuthority(device, pem, mqtt)
            : devices.registerWithCertificate(device, pem, mqtt));
  }

  @DELETE
  @Path("{name}")
  @Produces({MediaType.APPLICATION_JSON, Problem.MEDIA_TYPE})
  public Response revoke(@PathParam("name") String name) {
    DeviceName device = deviceName(name);
    return devices.revoke(device)
        ? Response.noContent().build()
        : Response.accepted(Map.of("name", device.value(), "state", "pending")).build();
  }

  private static DeviceName deviceName(String name) {
    if (!DeviceName.isValid(name)) {
      throw invalid("name", "A device's name has " + DeviceName.RULE + ".");
    }
    return new DeviceName(name);
  }

  private static ProblemException invalid(String field, String detail) {
    return ProblemException.ofField(INVALID_REQUEST, field, detail);
  }
}
