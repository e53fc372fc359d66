package io.tinyfaas.runtime.load;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.function.Request;
import io.tinyfaas.function.Response;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class FunctionTypesTest {

  abstract static class Plain implements Function<String, byte[]> {}

  interface Renamed<X, Y> extends Function<Y, X> {}

  abstract static class Base<T> implements Renamed<Response, T> {}

  abstract static class Deep extends Base<Request> {}

  abstract static class Unary implements UnaryOperator<String> {}

  abstract static class Arrays<E> implements Function<E[], String> {}

  abstract static class OfIntegers extends Arrays<Integer> {}

  abstract static class Bytes implements Function<byte[], byte[]> {}

  @SuppressWarnings("rawtypes")
  abstract static class Raw implements Function {}

  abstract static class Open<T> implements Function<T, String> {}

  abstract static class Unsupported implements Function<Integer, String> {}

  @Test
  void shouldReadTypesFromTheDeclaration() {
    assertThat(FunctionTypes.of(Plain.class))
        .isEqualTo(new FunctionTypes(String.class, byte[].class))
        .matches(FunctionTypes::areSupported);
    assertThat(FunctionTypes.of(Bytes.class).asInput()).isEqualTo(LoadedFunction.Input.BYTES);
    assertThat(FunctionTypes.of(Unary.class).asInput()).isEqualTo(LoadedFunction.Input.TEXT);
  }

  @Test
  void shouldFollowTypeVariablesThroughTheHierarchy() {
    assertThat(FunctionTypes.of(Deep.class))
        .isEqualTo(new FunctionTypes(Request.class, Response.class))
        .matches(FunctionTypes::areSupported);
    assertThat(FunctionTypes.of(OfIntegers.class)).hasToString("Function<Integer[], String>");
  }

  @Test
  void shouldNotSupportWhatIsOpenOrOfAnotherType() {
    assertThat(FunctionTypes.of(Raw.class).areSupported()).isFalse();
    assertThat(FunctionTypes.of(Open.class).areSupported()).isFalse();
    assertThat(FunctionTypes.of(Unsupported.class).areSupported()).isFalse();
    assertThat(FunctionTypes.of(Unsupported.class)).hasToString("Function<Integer, String>");
  }
}
