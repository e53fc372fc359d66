package io.tinyfaas.contract.control;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.deser.std.StdScalarDeserializer;
import com.fasterxml.jackson.databind.introspect.AnnotatedMember;
import com.fasterxml.jackson.databind.introspect.AnnotatedParameter;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Optional;

/**
 * Control messages as JSON. Unknown fields are passed over, so that either side can be updated
 * first; a missing one is an error.
 */
public final class ControlMessages {

  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .annotationIntrospector(new RequiredFields())
          .addModule(new Jdk8Module())
          .addModule(
              new SimpleModule()
                  .addSerializer(Instant.class, ToStringSerializer.instance)
                  .addDeserializer(Instant.class, new InstantText()))
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private ControlMessages() {}

  public static byte[] encode(RouteTable table) {
    return write(table);
  }

  public static byte[] encode(GatewayStatus status) {
    return write(status);
  }

  public static byte[] encode(DeviceTable table) {
    return write(table);
  }

  public static byte[] encode(CallsRequest request) {
    return write(request);
  }

  public static byte[] encode(CallDescription call) {
    return write(call);
  }

  public static byte[] encode(CallsReply reply) {
    return write(reply);
  }

  public static byte[] encode(SchedulesRequest request) {
    return write(request);
  }

  public static byte[] encode(SchedulesReply reply) {
    return write(reply);
  }

  /**
   * @throws IOException if the message is too large, not JSON, or not a route table
   */
  public static RouteTable decodeRouteTable(byte[] message) throws IOException {
    return read(message, RouteTable.class);
  }

  /**
   * @throws IOException if the message is too large, not JSON, or not a gateway's status
   */
  public static GatewayStatus decodeGatewayStatus(byte[] message) throws IOException {
    return read(message, GatewayStatus.class);
  }

  /**
   * @throws IOException if the message is too large, not JSON, or not a device table
   */
  public static DeviceTable decodeDeviceTable(byte[] message) throws IOException {
    return read(message, DeviceTable.class);
  }

  /**
   * @throws IOException if the message is too large, not JSON, or no request
   */
  public static CallsRequest decodeCallsRequest(byte[] message) throws IOException {
    return read(message, CallsRequest.class);
  }

  /**
   * @throws IOException if the message is too large, not JSON, or no reply
   */
  public static CallsReply decodeCallsReply(byte[] message) throws IOException {
    return read(message, CallsReply.class);
  }

  /**
   * @throws IOException if the message is too large, not JSON, or no request
   */
  public static SchedulesRequest decodeSchedulesRequest(byte[] message) throws IOException {
    return read(message, SchedulesRequest.class);
  }

  /**
   * @throws IOException if the message is too large, not JSON, or no reply
   */
  public static SchedulesReply decodeSchedulesReply(byte[] message) throws IOException {
    return read(message, SchedulesReply.class);
  }

  private static byte[] write(Object message) {
    try {
      return JSON.writeValueAsBytes(message);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static <T> T read(byte[] message, Class<T> type) throws IOException {
    if (message.length > ControlTopics.MAX_MESSAGE_BYTES) {
      throw new IOException("control message of " + message.length + " bytes");
    }
    T read = JSON.readValue(message, type);
    if (read == null) {
      throw new IOException("control message is null");
    }
    return read;
  }

  /** All fields are, but those that are optional by their type or say so. */
  private static final class RequiredFields extends JacksonAnnotationIntrospector {
    private static final long serialVersionUID = 1L;

    @Override
    public Boolean hasRequiredMarker(AnnotatedMember member) {
      Boolean said = super.hasRequiredMarker(member);
      if (said == null && member instanceof AnnotatedParameter parameter) {
        return parameter.getRawType() != Optional.class;
      }
      return said;
    }
  }

  /** As RFC 3339 writes it, in UTC. */
  private static final class InstantText extends StdScalarDeserializer<Instant> {
    private static final long serialVersionUID = 1L;

    InstantText() {
      super(Instant.class);
    }

    @Override
    public Instant deserialize(JsonParser parser, DeserializationContext context)
        throws IOException {
      try {
        return Instant.parse(parser.getText());
      } catch (DateTimeException e) {
        throw context.weirdStringException(parser.getText(), Instant.class, e.getMessage());
      }
    }
  }
}
