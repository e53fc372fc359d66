package io.tinyfaas.manager.api;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tinyfaas.manager.problem.ProblemException;
import jakarta.ws.rs.core.MultivaluedHashMap;
import jakarta.ws.rs.core.UriInfo;
import java.lang.reflect.Proxy;
import org.junit.jupiter.api.Test;

class FunctionLogsResourceTest {

  @Test
  void shouldRefuseAParameterThatThereIsNot() {
    MultivaluedHashMap<String, String> query = new MultivaluedHashMap<>();
    query.add("lines", "5");
    UriInfo uri =
        (UriInfo)
            Proxy.newProxyInstance(
                UriInfo.class.getClassLoader(),
                new Class<?>[] {UriInfo.class},
                (proxy, method, arguments) -> query);

    assertThatThrownBy(() -> new FunctionLogsResource(null, null).logs("sieve", "100", uri))
        .isInstanceOf(ProblemException.class)
        .hasMessage("This call has no parameter \"lines\", only tail and follow.");
  }
}
