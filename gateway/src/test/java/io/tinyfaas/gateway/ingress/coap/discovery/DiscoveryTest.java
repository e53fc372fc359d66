package io.tinyfaas.gateway.ingress.coap.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.control.Revision;
import io.tinyfaas.contract.control.RouteTable;
import io.tinyfaas.contract.route.CallPolicy;
import io.tinyfaas.contract.route.Exposure;
import io.tinyfaas.contract.route.Exposure.Access;
import io.tinyfaas.contract.route.Exposure.Observable;
import io.tinyfaas.contract.route.FunctionName;
import io.tinyfaas.contract.route.Route;
import io.tinyfaas.gateway.ingress.coap.message.Blocks;
import io.tinyfaas.gateway.memory.DefaultHeap;
import io.tinyfaas.gateway.route.CurrentRoutes;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.eclipse.californium.core.coap.BlockOption;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DiscoveryTest {

  private final CurrentRoutes routes = new CurrentRoutes(DefaultHeap.tables());
  private final Discovery discovery = new Discovery(routes);
  private int revision;

  private void table(Route... table) {
    routes.apply(new RouteTable(new Revision(1, ++revision), List.of(table)));
  }

  private static Route route(String name, Map<String, String> link) {
    return new Route(
        new FunctionName(name),
        1,
        1_000,
        new Exposure(Access.ANY, Observable.NO, link),
        CallPolicy.DEFAULT,
        List.of(),
        List.of());
  }

  private static Request request(Code code, String... filters) {
    Request request = new Request(code);
    request.getOptions().addUriPath(".well-known").addUriPath("core");
    List.of(filters).forEach(request.getOptions()::addUriQuery);
    return request;
  }

  private String links(String... filters) {
    Response response = discovery.answer(request(Code.GET, filters));
    assertThat(response.getCode()).isEqualTo(ResponseCode.CONTENT);
    assertThat(response.getOptions().getContentFormat()).isEqualTo(40);
    return response.getPayloadString();
  }

  @Test
  void shouldBeAskedAtItsPlaceOnly() {
    assertThat(Discovery.isAsked(request(Code.GET))).isTrue();
    assertThat(Discovery.isAsked(new Request(Code.GET))).isFalse();
    Request deeper = request(Code.GET);
    deeper.getOptions().addUriPath("x");
    assertThat(Discovery.isAsked(deeper)).isFalse();
    assertThat(FunctionName.isValid(".well-known")).isFalse();
  }

  @Test
  void shouldSayComeBackBeforeThereIsATable() {
    Response response = discovery.answer(request(Code.GET));
    assertThat(response.getCode()).isEqualTo(ResponseCode.SERVICE_UNAVAILABLE);
    assertThat(response.getOptions().getMaxAge()).isEqualTo(1);
  }

  @Test
  void shouldBeEmptyWithoutFunctions() {
    table();
    assertThat(links()).isEmpty();
  }

  @Test
  void shouldListTheCurrentFunctionsByName() {
    table(route("b", Map.of("rt", "x y")), route("a", Map.of()));
    assertThat(links()).isEqualTo("</a>,</b>;rt=\"x y\"");
    table(route("c", Map.of()));
    assertThat(links()).isEqualTo("</c>");
  }

  @Test
  void shouldListWhatMeetsAllFilters() {
    table(
        route("a", Map.of("rt", "x", "title", "one")),
        route("b", Map.of("rt", "x y", "title", "two")),
        route("c", Map.of("rt", "y")));
    assertThat(links("rt=x"))
        .isEqualTo("</a>;rt=\"x\";title=\"one\",</b>;rt=\"x y\";title=\"two\"");
    assertThat(links("rt=x", "title=t*")).isEqualTo("</b>;rt=\"x y\";title=\"two\"");
    assertThat(links("href=/c")).isEqualTo("</c>;rt=\"y\"");
    assertThat(links("rt=z")).isEmpty();
  }

  /**
   * Each is compared with each function: of many, with a thousand functions, for a tenth of a
   * second.
   */
  @Test
  void shouldHaveFewFilters() {
    table(route("a", Map.of("rt", "x")), route("b", Map.of("rt", "x")));
    assertThat(links(Collections.nCopies(8, "rt=x").toArray(String[]::new)))
        .isEqualTo("</a>;rt=\"x\",</b>;rt=\"x\"");
    Request more = request(Code.GET);
    Collections.nCopies(9, "rt=x").forEach(more.getOptions()::addUriQuery);
    assertThat(discovery.answer(more).getCode()).isEqualTo(ResponseCode.BAD_REQUEST);
  }

  @ParameterizedTest
  @EnumSource(value = Code.class, names = "GET", mode = EnumSource.Mode.EXCLUDE)
  void shouldOnlyBeRead(Code method) {
    assertThat(discovery.answer(request(method)).getCode())
        .isEqualTo(ResponseCode.METHOD_NOT_ALLOWED);
  }

  @Test
  void shouldHaveOneFormat() {
    table();
    Request wanted = request(Code.GET);
    wanted.getOptions().setAccept(40);
    assertThat(discovery.answer(wanted).getCode()).isEqualTo(ResponseCode.CONTENT);
    wanted.getOptions().setAccept(50);
    assertThat(discovery.answer(wanted).getCode()).isEqualTo(ResponseCode.NOT_ACCEPTABLE);
  }

  @Test
  void shouldSayThatWhatADeviceHasIsValid() {
    table(route("a", Map.of()));
    byte[] tag = discovery.answer(request(Code.GET)).getOptions().getETags().getFirst();
    Request again = request(Code.GET);
    again.getOptions().addETag(tag);
    Response valid = discovery.answer(again);
    assertThat(valid.getCode()).isEqualTo(ResponseCode.VALID);
    assertThat(valid.getPayloadSize()).isZero();
    table(route("b", Map.of()));
    assertThat(discovery.answer(again).getCode()).isEqualTo(ResponseCode.CONTENT);
  }

  private Response block(int size, int number) {
    Request request = request(Code.GET);
    request.getOptions().setBlock2(BlockOption.size2Szx(size), false, number);
    Response response = discovery.answer(request);
    assertThat(response).isInstanceOf(Blocks.Lasting.class);
    assertThat(Blocks.cut(response, request.getOptions().getBlock2())).isTrue();
    return response;
  }

  @Test
  void shouldBeCutIntoTheBlocksThatAreAskedFor() {
    List<Route> many = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      many.add(route("f%03d".formatted(i), Map.of("title", "Function ü " + i)));
    }
    table(many.toArray(Route[]::new));
    Response first = discovery.answer(request(Code.GET));
    assertThat(Blocks.cut(first, null)).isTrue();
    assertThat(first.getPayloadSize()).isEqualTo(1_024);
    int size = first.getOptions().getSize2();
    byte[] tag = first.getOptions().getETags().getFirst();

    ByteArrayOutputStream whole = new ByteArrayOutputStream();
    Response block;
    int number = 0;
    do {
      block = block(64, number++);
      assertThat(block.getCode()).isEqualTo(ResponseCode.CONTENT);
      assertThat(block.getOptions().getETags()).containsExactly(tag);
      whole.writeBytes(block.getPayload());
    } while (block.getOptions().getBlock2().isM());
    assertThat(whole.size()).isEqualTo(size);
    String text = whole.toString(StandardCharsets.UTF_8);
    assertThat(text).startsWith("</f000>;title=\"Function ü 0\",</f001>").endsWith(" 199\"");
    Response again = discovery.answer(request(Code.GET));
    assertThat(Blocks.cut(again, new BlockOption(2, false, number))).isFalse();
    assertThat(Blocks.cut(again, new BlockOption(6, false, (1 << 20) - 1))).isFalse();

    table(route("a", Map.of("title", "x".repeat(250))));
    assertThat(block(64, 1).getOptions().getETags().getFirst()).isNotEqualTo(tag);
  }

  @Test
  void shouldSayInOneBlockThatItIsTheOnlyOne() {
    table(route("a", Map.of()));
    BlockOption only = block(64, 0).getOptions().getBlock2();
    assertThat(only.isM()).isFalse();
    assertThat(only.getNum()).isZero();
  }
}
