package io.tinyfaas.manager.runtime;

import static org.assertj.core.api.Assertions.assertThatNoException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tinyfaas.manager.archive.FunctionArchive;
import io.tinyfaas.manager.archive.Zip;
import io.tinyfaas.manager.engine.Labels;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RuntimeImageTest {

  private static final RuntimeImage JAVA =
      RuntimeImage.describedBy(
          "image", Map.of(Labels.RUNTIME, "java", Labels.RUNTIME_CHECK, "*.jar,src/**"));

  /** A repository around several functions, or a jar that was sent as it is. */
  @Test
  void shouldSayWhatTheArchiveHasInsteadOfWhatItNeeds() {
    try (FunctionArchive jar =
            Zip.of(Map.of("META-INF/MANIFEST.MF", "", "com/acme/A.class", "", "com/B.class", ""));
        FunctionArchive many =
            Zip.of(Map.of("a", "", "b", "", "c", "", "d/e", "", "f", "", "g", ""));
        FunctionArchive right = Zip.of(Map.of("a.jar", "", "lib/b", ""))) {
      assertThatThrownBy(() -> JAVA.require(jar))
          .hasMessage(
              "The archive has no file that the runtime java can run: it needs one of *.jar,"
                  + " src/**, and has at its top META-INF/, com/. Make it in the function's folder;"
                  + " put what is itself one of these into a zip.");
      assertThatThrownBy(() -> JAVA.require(many))
          .hasMessageContaining("at its top a, b, c, d/, f, …. Make");
      assertThatNoException().isThrownBy(() -> JAVA.require(right));
    }
  }

  @Test
  void shouldSayInWhichFolderThereIsWhatTheTopDoesNotHave() {
    try (FunctionArchive beside = Zip.of(Map.of("README.md", "", "app/a.jar", "", "app/b/c", ""));
        FunctionArchive deeper =
            Zip.of(Map.of("README.md", "", "fns/one/a.jar", "", "fns/one/old/b.jar", ""));
        FunctionArchive several =
            Zip.of(Map.of("README.md", "", "one/a.jar", "", "two/src/B", "", "x/y/b.jar", ""))) {
      assertThatThrownBy(() -> JAVA.require(beside))
          .hasMessage(
              "The archive has no file that the runtime java can run: it needs one of *.jar,"
                  + " src/**, and has at its top README.md, app/. There is one in app/, where"
                  + " nothing is looked for: make the archive in that folder, of what is in it.");
      assertThatThrownBy(() -> JAVA.require(deeper))
          .hasMessageContaining("at its top README.md, fns/. There is one in fns/one/, where");
      assertThatThrownBy(() -> JAVA.require(several))
          .hasMessageContaining("There are such files in one/, two/, where nothing is looked for");
    }
  }
}
