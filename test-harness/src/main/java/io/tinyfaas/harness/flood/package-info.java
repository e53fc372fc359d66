/**
 * Load as nobody wants it, by all protocols, as a value with parameters. {@link
 * io.tinyfaas.harness.flood.Flood} begins it, by a line of a test or of text, and {@link
 * io.tinyfaas.harness.flood.RunningFlood} is what has begun.
 */
package io.tinyfaas.harness.flood;
