package io.tinyfaas.gateway.device;

import io.tinyfaas.contract.device.Device;

/**
 * Who a sender has proved to be.
 *
 * @param name for functions: the device's, or {@code AUTHORITY/COMMON-NAME}
 * @param device what it is registered as: itself, or the authority that issued its certificate
 */
public record DeviceIdentity(String name, Device device) {}
