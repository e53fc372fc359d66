/**
 * A call, from the request that is accepted to its end. {@link io.tinyfaas.gateway.call.Calls} is
 * what others see of it; which requests become calls ({@code CallAdmission}), when they run ({@code
 * CallQueue}), what comes of that ({@code CallRunner}) and what is on disk ({@code CallStore})
 * share {@code Call}, whose states nobody else is to change. That is why all of them are here,
 * though they are more than a dozen.
 */
package io.tinyfaas.gateway.call;
