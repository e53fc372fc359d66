package io.tinyfaas.gateway;

import static io.tinyfaas.harness.Eventually.patient;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import com.google.protobuf.Empty;
import com.google.protobuf.UnknownFieldSet;
import com.google.protobuf.UnknownFieldSet.Field;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ClientCalls;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** gRPC calls of a gateway. */
final class GrpcCalls implements AutoCloseable {

  static final String SERVICE = "openfogstack.tinyfaas.tinyfaas.TinyFaaS";

  /**
   * Messages as unknown fields of an empty one, so that a test can send what no generated client
   * would.
   */
  static final MethodDescriptor<Empty, Empty> REQUEST =
      MethodDescriptor.<Empty, Empty>newBuilder()
          .setType(MethodType.UNARY)
          .setFullMethodName(SERVICE + "/Request")
          .setRequestMarshaller(ProtoUtils.marshaller(Empty.getDefaultInstance()))
          .setResponseMarshaller(ProtoUtils.marshaller(Empty.getDefaultInstance()))
          .build();

  private final ManagedChannel channel;

  /**
   * @param port on 127.0.0.1
   */
  GrpcCalls(int port) {
    channel =
        NettyChannelBuilder.forAddress("127.0.0.1", port)
            .usePlaintext()
            .maxInboundMessageSize(1 << 20)
            .build();
  }

  Channel channel() {
    return channel;
  }

  static Empty data(String function, String data) {
    return data(function, ByteString.copyFromUtf8(data));
  }

  static Empty data(String function, ByteString data) {
    return Empty.newBuilder()
        .setUnknownFields(
            UnknownFieldSet.newBuilder()
                .addField(1, string(ByteString.copyFromUtf8(function)))
                .addField(2, string(data))
                .build())
        .build();
  }

  private static Field string(ByteString bytes) {
    return Field.newBuilder().addLengthDelimited(bytes).build();
  }

  private static String response(Empty message) {
    List<ByteString> values = message.getUnknownFields().getField(1).getLengthDelimitedList();
    return values.isEmpty() ? "" : values.getLast().toStringUtf8();
  }

  static String ask(Channel channel, CallOptions options, Empty message) {
    return response(ClientCalls.blockingUnaryCall(channel, REQUEST, options, message));
  }

  /** Without an end on any machine; a connection that the gateway has closed is opened again. */
  static CallOptions patiently() {
    return CallOptions.DEFAULT
        .withWaitForReady()
        .withDeadlineAfter(patient(Duration.ofSeconds(20)).toMillis(), TimeUnit.MILLISECONDS);
  }

  String ask(String function, String data) {
    return ask(channel, patiently(), data(function, data));
  }

  Status failure(String function, String data) {
    return catchThrowableOfType(StatusRuntimeException.class, () -> ask(function, data))
        .getStatus();
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }
}
