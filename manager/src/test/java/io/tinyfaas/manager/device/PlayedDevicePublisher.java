package io.tinyfaas.manager.device;

import static io.tinyfaas.manager.problem.ProblemType.GATEWAY_UNAVAILABLE;

import io.quarkus.runtime.StartupEvent;
import io.tinyfaas.contract.control.Revision;
import io.tinyfaas.manager.problem.ProblemException;
import jakarta.enterprise.inject.Alternative;
import jakarta.inject.Singleton;
import java.time.Duration;

/** A gateway that is there, away, or slow to say what it applies. */
@Alternative
@Singleton
public class PlayedDevicePublisher extends DevicePublisher {

  private boolean connected = true;
  private boolean confirms = true;

  PlayedDevicePublisher() {
    super(null, null, null, null);
  }

  @Override
  void start(StartupEvent event) {}

  public void is(boolean connected, boolean confirms) {
    this.connected = connected;
    this.confirms = confirms;
  }

  @Override
  public void requireGateway() {
    if (!connected) {
      throw ProblemException.of(GATEWAY_UNAVAILABLE, "The gateway is not connected.");
    }
  }

  @Override
  public Revision publish() {
    return Revision.NONE;
  }

  @Override
  public boolean isApplied() {
    return confirms;
  }

  @Override
  public boolean awaitApplied(Revision wanted, Duration atMost) {
    return confirms;
  }
}
