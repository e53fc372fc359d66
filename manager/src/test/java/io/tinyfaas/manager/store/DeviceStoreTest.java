package io.tinyfaas.manager.store;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.quarkus.runtime.configuration.ConfigurationException;
import io.tinyfaas.contract.control.ControlMessages;
import io.tinyfaas.contract.control.ControlTopics;
import io.tinyfaas.contract.control.DeviceTable;
import io.tinyfaas.contract.control.Revision;
import io.tinyfaas.contract.device.Device;
import io.tinyfaas.contract.device.DeviceCredential;
import io.tinyfaas.contract.device.DeviceName;
import io.tinyfaas.contract.device.KeySeal;
import io.tinyfaas.harness.SmallDisk;
import io.tinyfaas.manager.problem.ProblemException;
import io.tinyfaas.manager.problem.ProblemType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class DeviceStoreTest {

  private static final String KEY = "a-key-that-nobody-sees";
  private static final KeySeal SEAL = new KeySeal(new byte[32]);
  private static final StoredDevice BUTTON = withKey("button");
  private static final StoredDevice LAMP = withCertificate("lamp");

  @TempDir Path root;
  private DeviceStore store;

  private static StoredDevice withKey(String name) {
    DeviceName device = new DeviceName(name);
    return new StoredDevice(
        device,
        new DeviceCredential.Psk(SEAL.seal(device, KEY.getBytes(UTF_8))),
        "2026-11-24T10:00:00Z",
        "",
        "");
  }

  private static StoredDevice withCertificate(String name) {
    return new StoredDevice(
        new DeviceName(name),
        new DeviceCredential.Certificate("0f".repeat(32)),
        "2026-11-24T10:00:00Z",
        "CN=lamp",
        "2027-11-24T10:00:00Z");
  }

  @BeforeEach
  void open() {
    store = new DeviceStore(root, 3);
  }

  private DeviceStore reopened() {
    return new DeviceStore(root, 3);
  }

  private ProblemType problemOf(Runnable change) {
    return catchThrowableOfType(ProblemException.class, change::run).type();
  }

  @Test
  void shouldKeepDevicesOverARestart() {
    store.add(LAMP);
    store.add(BUTTON);

    assertThat(reopened().list()).containsExactly(BUTTON, LAMP);
    assertThat(reopened().get(LAMP.name())).isEqualTo(LAMP);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, 20_001})
  void shouldRefuseABoundThatCannotBeMeant(int most) {
    assertThatThrownBy(() -> new DeviceStore(root, most))
        .isInstanceOf(ConfigurationException.class)
        .hasMessage("TINYFAAS_MAX_DEVICES is %d: use a number from 1 to 20000.", most);
  }

  @Test
  void shouldForgetARevokedDeviceForGood() throws IOException {
    store.add(BUTTON);
    store.remove(BUTTON.name());

    assertThat(store.list()).isEmpty();
    assertThat(reopened().list()).isEmpty();
    assertThat(problemOf(() -> store.get(BUTTON.name()))).isEqualTo(ProblemType.UNKNOWN_DEVICE);
    assertThat(problemOf(() -> store.remove(BUTTON.name()))).isEqualTo(ProblemType.UNKNOWN_DEVICE);
    try (Stream<Path> files = Files.list(root.resolve("devices"))) {
      assertThat(files).isEmpty();
    }
  }

  @Test
  void shouldHoldNoKeyThatACopyCouldGiveAway() throws IOException {
    store.add(BUTTON);

    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        assertThat(Files.readString(file)).doesNotContain(KEY, hex(KEY), base64(KEY));
      }
    }
    assertThat(SEAL.open(BUTTON.name(), (DeviceCredential.Psk) BUTTON.credential()))
        .contains(KEY.getBytes(UTF_8));
    assertThat(Files.getPosixFilePermissions(root.resolve("devices"))).hasSize(3);
  }

  private static String hex(String text) {
    return HexFormat.of().formatHex(text.getBytes(UTF_8));
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(UTF_8));
  }

  @Test
  void shouldRefuseASecondDeviceOfTheNameOrTheCertificate() {
    store.add(LAMP);

    assertThat(problemOf(() -> store.add(withKey("lamp")))).isEqualTo(ProblemType.DEVICE_EXISTS);
    assertThat(problemOf(() -> store.add(withCertificate("lamp-2"))))
        .isEqualTo(ProblemType.DEVICE_EXISTS);
    assertThat(reopened().list()).containsExactly(LAMP);
  }

  @Test
  void shouldRefuseMoreThanThereMayBe() {
    List.of("a", "b", "c").forEach(name -> store.add(withKey(name)));

    assertThat(problemOf(() -> store.add(withKey("d")))).isEqualTo(ProblemType.TOO_MANY);
    store.remove(new DeviceName("a"));
    store.add(withKey("d"));
    assertThat(reopened().list()).hasSize(3);
  }

  @Test
  void shouldLeaveOutWhatPowerCutOffOrSomebodyBroke() throws IOException {
    store.add(BUTTON);
    Files.writeString(root.resolve("devices/.lamp.json.new"), "{\"na");
    Files.writeString(root.resolve("devices/broken.json"), "{\"name\":\"broken\"}");

    assertThat(reopened().list()).containsExactly(BUTTON);
    assertThat(root.resolve("devices/.lamp.json.new")).doesNotExist();
    assertThat(root.resolve("devices/broken.json")).as("for somebody to look at").exists();
  }

  @Test
  void shouldChangeNothingOnAFullDisk(@TempDir Path disk) throws Exception {
    try (SmallDisk small = new SmallDisk(disk)) {
      DeviceStore full = new DeviceStore(disk, 3);
      full.add(BUTTON);
      small.fillUpTo(0);
      assertThat(problemOf(() -> full.add(LAMP))).isEqualTo(ProblemType.DISK_FULL);
      assertThat(full.list()).containsExactly(BUTTON);
      full.remove(BUTTON.name());
      assertThat(new DeviceStore(disk, 3).list()).isEmpty();
    }
  }

  @ParameterizedTest
  @MethodSource("io.tinyfaas.manager.store.FailingSync#failures")
  void shouldAgreeWithABrokenDisk(FailingSync.Failure failure) {
    FailingSync sync = new FailingSync();
    store = new DeviceStore(root, 3, new DurableFiles(sync));
    store.add(BUTTON);

    sync.failsFromNowOn(failure);
    boolean added = succeeds(() -> store.add(LAMP));
    assertThat(store.list()).isEqualTo(reopened().list()).contains(BUTTON);
    if (added || failure.once()) {
      assertThat(store.list().contains(LAMP)).isEqualTo(added);
    }
    sync.failsFromNowOn(failure);
    boolean removed = succeeds(() -> store.remove(BUTTON.name()));
    assertThat(store.list()).isEqualTo(reopened().list());
    if (removed || failure.once()) {
      assertThat(store.list().contains(BUTTON)).isEqualTo(!removed);
    }
  }

  private static boolean succeeds(Runnable change) {
    try {
      change.run();
      return true;
    } catch (ProblemException e) {
      assertThat(e.type()).isEqualTo(ProblemType.INTERNAL);
      return false;
    }
  }

  @Test
  void shouldTakeNoMoreAuthoritiesThanTheGatewayCanHold() {
    DeviceStore large = new DeviceStore(root, 20_000);
    large.add(BUTTON);
    for (int i = 0; i < 8; i++) {
      large.add(withAuthority("authority-" + i));
    }

    assertThat(problemOf(() -> large.add(withAuthority("one-more"))))
        .isEqualTo(ProblemType.TOO_MANY);
    large.add(LAMP);
    large.remove(new DeviceName("authority-3"));
    large.add(withAuthority("one-more"));
  }

  @Test
  void shouldTakeNoMoreDevicesThanAMessageHas() {
    String longest = "x".repeat(58);
    DeviceTable table =
        new DeviceTable(
            Revision.NONE,
            IntStream.range(0, 20_000)
                .mapToObj(
                    i ->
                        new Device(
                            new DeviceName("%s%05d".formatted(longest, i)), LAMP.credential()))
                .toList());

    assertThat(ControlMessages.encode(table)).hasSizeLessThan(ControlTopics.MAX_MESSAGE_BYTES);
  }

  /** What an earlier manager may have taken. */
  @Test
  void shouldOpenWithAsManyAuthoritiesAsTheGatewayCanHold() throws IOException {
    store.add(BUTTON);
    DeviceStore other = new DeviceStore(root.resolve("other"), 20_000);
    for (int i = 0; i < 9; i++) {
      DeviceName name = new DeviceName("authority-" + i);
      other.add(withAuthority(name.value()));
      Files.move(
          root.resolve("other/devices/" + name + ".json"),
          root.resolve("devices/" + name + ".json"));
      other.remove(name);
    }

    assertThat(new DeviceStore(root, 20_000).list()).hasSize(9).contains(BUTTON);
  }

  private static StoredDevice withAuthority(String name) {
    String certificate =
        Base64.getEncoder()
            .encodeToString(Arrays.copyOf(name.getBytes(UTF_8), 12_000))
            .substring(0, 15_900);
    return new StoredDevice(
        new DeviceName(name),
        new DeviceCredential.Authority(certificate),
        "2026-11-24T10:00:00Z",
        "CN=authority",
        "2027-11-24T10:00:00Z");
  }
}
