package io.tinyfaas.contract.control;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * Control messages as JSON. Unknown fields are passed over, so that either side can be updated
 * first; a missing one is an error.
 */
public final class ControlMessages {

  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
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
}
