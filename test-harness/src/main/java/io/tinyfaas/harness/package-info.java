/**
 * What the tests of all modules share. {@link io.tinyfaas.harness.Command} runs a program, {@link
 * io.tinyfaas.harness.Docker} the engine's client, {@link io.tinyfaas.harness.Broker} is a real
 * Mosquitto. {@link io.tinyfaas.harness.Eventually} waits, {@link io.tinyfaas.harness.Seed} makes
 * what is random repeatable, and {@link io.tinyfaas.harness.FailureLogs} prints what the system
 * under test had to say when a test failed.
 */
package io.tinyfaas.harness;
