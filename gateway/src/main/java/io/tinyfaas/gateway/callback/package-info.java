/**
 * Who hears what has become of a call, where that is no function: a topic of the devices' broker,
 * or a server by its URL. What is to be told, and how often it is tried, is the business of {@code
 * call}.
 */
package io.tinyfaas.gateway.callback;
