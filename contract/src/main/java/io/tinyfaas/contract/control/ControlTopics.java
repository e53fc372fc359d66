package io.tinyfaas.contract.control;

/**
 * The topics of the control plane. All messages on them have QoS 1; what says how things are is
 * retained, questions and answers are not.
 */
public final class ControlTopics {

  /** A {@link RouteTable}: the manager writes, the gateway reads. */
  public static final String ROUTES = "tinyfaas/routes";

  /**
   * A {@link io.tinyfaas.contract.control.DeviceTable}: the manager writes, only the gateway reads.
   */
  public static final String DEVICES = "tinyfaas/devices";

  /** A {@link GatewayStatus}: the gateway writes, the manager reads. */
  public static final String GATEWAY_STATUS = "tinyfaas/gateway/status";

  /** A {@link CallsRequest}, not retained: the manager writes, the gateway reads. */
  public static final String CALLS_REQUESTS = "tinyfaas/calls/requests";

  /** A {@link CallsReply}, not retained: the gateway writes, the manager reads. */
  public static final String CALLS_REPLIES = "tinyfaas/calls/replies";

  /** A {@link SchedulesRequest}, not retained: the manager writes, the gateway reads. */
  public static final String SCHEDULES_REQUESTS = "tinyfaas/schedules/requests";

  /** A {@link SchedulesReply}, not retained: the gateway writes, the manager reads. */
  public static final String SCHEDULES_REPLIES = "tinyfaas/schedules/replies";

  /**
   * The largest control message either side accepts, in bytes; a table of 1,000 functions with four
   * handlers each takes about 400 KB.
   */
  public static final int MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

  private ControlTopics() {}
}
