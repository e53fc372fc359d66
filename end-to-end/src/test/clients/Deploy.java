import java.io.File;
import java.util.List;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.api.FunctionsApi;
import org.openapitools.client.model.Function;
import org.openapitools.client.model.Problem;

/** {@code Deploy API TOKEN ARCHIVE}: by the client that openapi-generator makes for Java. */
class Deploy {

  public static void main(String[] args) throws Exception {
    ApiClient client = new ApiClient();
    client.setBasePath(args[0]);
    client.setBearerToken(args[1]);
    FunctionsApi functions = new FunctionsApi(client);
    File archive = new File(args[2]);

    Function function =
        functions.deployFunction(
            "from-java",
            archive,
            "nodejs",
            2,
            "64M",
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            List.of("GREETING=hello"),
            null);
    System.out.println(
        String.join(
            " ",
            function.getName(),
            function.getState().getValue(),
            Integer.toString(function.getHandlers().size()),
            function.getSpec().getMemory()));

    try {
      functions.getFunction("nobody", null);
    } catch (ApiException e) {
      Problem problem = client.getObjectMapper().readValue(e.getResponseBody(), Problem.class);
      System.out.println(problem.getType());
    }
  }
}
