package io.tinyfaas.gateway.device;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.tinyfaas.contract.control.DeviceTable;
import io.tinyfaas.contract.control.Revision;
import io.tinyfaas.contract.device.Device;
import io.tinyfaas.contract.device.DeviceCredential;
import io.tinyfaas.contract.device.DeviceName;
import io.tinyfaas.contract.device.KeySeal;
import io.tinyfaas.gateway.memory.DefaultHeap;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class CurrentDevicesTest {

  private static final KeySeal SEAL = new KeySeal(new byte[32]);
  private static final byte[] KEY = "sixteen-and-more".getBytes(UTF_8);

  private final CurrentDevices devices =
      new CurrentDevices(DefaultHeap.tables(), Optional.of(SEAL));

  private static Device withKey(String name) {
    DeviceName device = new DeviceName(name);
    return new Device(device, new DeviceCredential.Psk(SEAL.seal(device, KEY)));
  }

  private static DeviceTable table(long epoch, long number, Device... devices) {
    return new DeviceTable(new Revision(epoch, number), List.of(devices));
  }

  private static DeviceIdentity identity(Device device) {
    return new DeviceIdentity(device.name().value(), device);
  }

  @Test
  void shouldKnowADeviceUntilATableIsWithoutIt() {
    Device button = withKey("button");

    assertThat(devices.apply(table(1, 1, button))).isTrue();
    assertThat(devices.withKey("button").flatMap(devices::key)).contains(KEY);
    assertThat(devices.isCurrent(identity(button))).isTrue();

    assertThat(devices.apply(table(1, 2))).isTrue();
    assertThat(devices.withKey("button")).isEmpty();
    assertThat(devices.isCurrent(identity(button))).isFalse();
    assertThat(devices.isEmpty()).isTrue();
  }

  @Test
  void shouldNotBringARevokedDeviceBackByAStaleTable() {
    Device button = withKey("button");
    devices.apply(table(2, 1));

    assertThat(devices.apply(table(1, 9, button))).isFalse();
    assertThat(devices.apply(table(2, 1, button))).isFalse();
    assertThat(devices.isEmpty()).isTrue();
    assertThat(devices.revision()).isEqualTo(new Revision(2, 1));
  }

  @Test
  void shouldNotTakeADeviceForTheOneThatHadItsNameBefore() {
    Device before = withKey("button");
    devices.apply(table(1, 1, before));
    devices.apply(table(1, 2, withKey("button")));

    assertThat(devices.isCurrent(identity(before))).isFalse();
  }

  @Test
  void shouldOpenNoKeyThatIsNotOfThisInstallation() {
    Device button = withKey("button");
    CurrentDevices other =
        new CurrentDevices(
            DefaultHeap.tables(), Optional.of(new KeySeal("x".repeat(32).getBytes(UTF_8))));
    CurrentDevices without = new CurrentDevices(DefaultHeap.tables(), Optional.empty());

    assertThat(other.key(button)).isEmpty();
    assertThat(without.key(button)).isEmpty();
  }

  @Test
  void shouldLeaveOutAnAuthorityThatIsNoCertificate() {
    Device broken = new Device(new DeviceName("barn"), new DeviceCredential.Authority("AAAA"));

    assertThat(devices.apply(table(1, 1, broken, withKey("button")))).isTrue();
    assertThat(devices.authorities()).isEmpty();
    assertThat(devices.withKey("button")).isPresent();
    assertThat(devices.withKey("barn")).isEmpty();
  }

  @Test
  void shouldTellListenersOfEachTableThatIsApplied() {
    AtomicInteger told = new AtomicInteger();
    devices.addListener(told::incrementAndGet);

    devices.apply(table(1, 2));
    devices.apply(table(1, 1));
    devices.apply(table(1, 3));

    assertThat(told).hasValue(2);
  }

  @Test
  void shouldSayThatItHeedsATableWhenAllIsDoneForIt() {
    List<String> order = new ArrayList<>();
    AtomicBoolean listens = new AtomicBoolean();
    devices.onApplied(() -> order.add("heeded " + devices.applied().number()));
    devices.applyAfter(
        () -> {
          order.add("listen at " + devices.applied().number());
          return listens.get();
        });

    devices.apply(table(1, 1, withKey("button")));
    assertThat(devices.revision()).isEqualTo(new Revision(1, 1));
    assertThat(devices.applied()).as("cannot listen").isEqualTo(Revision.NONE);
    listens.set(true);
    devices.confirm();
    devices.apply(table(1, 2, withKey("button")));

    assertThat(order)
        .containsExactly("listen at 0", "listen at 0", "heeded 1", "listen at 1", "heeded 2");
  }
}
