package io.tinyfaas.gateway.ingress.mqtt;

/**
 * Why a device's connection ends.
 *
 * @param reasonCode that a device with MQTT 5 is told
 * @param why a sentence for whoever programs the device
 */
record BrokenRule(int reasonCode, String why) {}
