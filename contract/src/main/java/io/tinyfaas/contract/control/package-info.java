/**
 * What manager and gateway say to each other over the broker: a record for each message and for
 * what is in it. They are more than a dozen, as there are that many; {@link
 * io.tinyfaas.contract.control.ControlMessages} is how they are written and read.
 */
package io.tinyfaas.contract.control;
