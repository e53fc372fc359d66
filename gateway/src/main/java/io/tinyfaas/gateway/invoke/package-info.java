/**
 * The path of an invocation, from its ingress to a handler and back. {@link
 * io.tinyfaas.gateway.invoke.Invoker} decides, {@code HandlerClient} has the connections to one
 * handler; what it writes and reads there ({@code RequestEncoder}, {@code AnswerParser}), and who
 * waits for it ({@code Attempt}), is nobody else's. That is why all of them are here, though they
 * are more than a dozen.
 */
package io.tinyfaas.gateway.invoke;
