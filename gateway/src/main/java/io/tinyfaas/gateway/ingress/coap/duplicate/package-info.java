/**
 * Where a retransmission is recognised (RFC 7252, 4.5). The short way asks {@link
 * io.tinyfaas.gateway.ingress.coap.duplicate.RememberedAnswers}, Californium {@link
 * io.tinyfaas.gateway.ingress.coap.duplicate.BoundedDeduplicator}: each has the last messages of
 * each device that went its way, with their answers. What both have forgotten the deduplicator
 * still knows by {@code MessageIds}, for EXCHANGE_LIFETIME, and has it neither run nor answered.
 * {@code RecentPeers} shares the room of all three among addresses.
 */
package io.tinyfaas.gateway.ingress.coap.duplicate;
