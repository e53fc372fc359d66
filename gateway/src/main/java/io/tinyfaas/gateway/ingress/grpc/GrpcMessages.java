package io.tinyfaas.gateway.ingress.grpc;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.MethodDescriptorProto;
import com.google.protobuf.DescriptorProtos.ServiceDescriptorProto;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.UnsafeByteOperations;
import com.google.protobuf.WireFormat;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServiceDescriptor;
import io.grpc.protobuf.ProtoFileDescriptorSupplier;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/**
 * What {@code contract/tinyfaas.proto} says, in Java: two messages of a string or two need no
 * compiler in the build, and text that is passed on need not become a String.
 */
final class GrpcMessages {

  private static final String PACKAGE = "openfogstack.tinyfaas.tinyfaas";

  /** The fields of {@code Data}, and that of {@code Response}. */
  private static final int FUNCTION_IDENTIFIER = 1;

  private static final int DATA = 2;
  private static final int RESPONSE = 1;

  private static final FileDescriptor FILE = file();

  static final MethodDescriptor<Request, byte[]> REQUEST =
      MethodDescriptor.<Request, byte[]>newBuilder()
          .setType(MethodType.UNARY)
          .setFullMethodName(
              MethodDescriptor.generateFullMethodName(PACKAGE + ".TinyFaaS", "Request"))
          .setRequestMarshaller(new RequestMarshaller())
          .setResponseMarshaller(new ResponseMarshaller())
          .build();

  static final ServiceDescriptor SERVICE =
      ServiceDescriptor.newBuilder(PACKAGE + ".TinyFaaS")
          .setSchemaDescriptor((ProtoFileDescriptorSupplier) () -> FILE)
          .addMethod(REQUEST)
          .build();

  private GrpcMessages() {}

  /** What a client may have sent. */
  sealed interface Request {

    record Data(String function, byte[] data) implements Request {}

    /**
     * @param why in words for the client's author
     */
    record Unreadable(String why) implements Request {}
  }

  /** Whether a string of a message may hold these bytes. */
  static boolean isText(byte[] bytes) {
    return UnsafeByteOperations.unsafeWrap(bytes).isValidUtf8();
  }

  private static final class RequestMarshaller implements Marshaller<Request> {

    /** Most messages are smaller; of larger ones the data is read past the buffer. */
    private static final int MAX_BUFFER = 4_096;

    @Override
    public Request parse(InputStream stream) {
      String function = "";
      byte[] data = new byte[0];
      try {
        CodedInputStream in =
            CodedInputStream.newInstance(stream, Math.clamp(stream.available(), 1, MAX_BUFFER));
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
          if (tag == tag(FUNCTION_IDENTIFIER)) {
            function = in.readStringRequireUtf8();
          } else if (tag == tag(DATA)) {
            data = in.readByteArray();
          } else if (!in.skipField(tag)) {
            return new Request.Unreadable("the message is broken");
          }
        }
      } catch (IOException e) {
        return new Request.Unreadable("the message is broken: " + e.getMessage());
      }
      return isText(data)
          ? new Request.Data(function, data)
          : new Request.Unreadable("data is not UTF-8, as a string has to be");
    }

    @Override
    public InputStream stream(Request request) {
      throw new UnsupportedOperationException("a server sends no requests");
    }

    private static int tag(int field) {
      return field << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED;
    }
  }

  /** From text in UTF-8. */
  private static final class ResponseMarshaller implements Marshaller<byte[]> {

    @Override
    public InputStream stream(byte[] text) {
      if (text.length == 0) {
        return new ByteArrayInputStream(text);
      }
      byte[] message = new byte[CodedOutputStream.computeByteArraySize(RESPONSE, text)];
      try {
        CodedOutputStream out = CodedOutputStream.newInstance(message);
        out.writeByteArray(RESPONSE, text);
        out.checkNoSpaceLeft();
      } catch (IOException e) {
        throw new UncheckedIOException(e); // there is room for it
      }
      return new ByteArrayInputStream(message);
    }

    @Override
    public byte[] parse(InputStream stream) {
      throw new UnsupportedOperationException("a server gets no responses");
    }
  }

  private static FileDescriptor file() {
    FileDescriptorProto.Builder file =
        FileDescriptorProto.newBuilder()
            .setName("tinyfaas.proto")
            .setPackage(PACKAGE)
            .setSyntax("proto3")
            .addMessageType(
                DescriptorProto.newBuilder()
                    .setName("Data")
                    .addField(string("functionIdentifier", FUNCTION_IDENTIFIER))
                    .addField(string("data", DATA)))
            .addMessageType(
                DescriptorProto.newBuilder()
                    .setName("Response")
                    .addField(string("response", RESPONSE)))
            .addService(
                ServiceDescriptorProto.newBuilder()
                    .setName("TinyFaaS")
                    .addMethod(
                        MethodDescriptorProto.newBuilder()
                            .setName("Request")
                            .setInputType('.' + PACKAGE + ".Data")
                            .setOutputType('.' + PACKAGE + ".Response")));
    try {
      return FileDescriptor.buildFrom(file.build(), new FileDescriptor[0]);
    } catch (DescriptorValidationException e) {
      throw new IllegalStateException(e);
    }
  }

  private static FieldDescriptorProto string(String name, int number) {
    return FieldDescriptorProto.newBuilder()
        .setName(name)
        .setNumber(number)
        .setLabel(FieldDescriptorProto.Label.LABEL_OPTIONAL)
        .setType(FieldDescriptorProto.Type.TYPE_STRING)
        .build();
  }
}
