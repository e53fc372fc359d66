/**
 * REST: a class for each resource, what it shows, and what of a request it reads. They are more
 * than a dozen, as there are that many resources; what stands before all of them is in {@code
 * access} and {@code connection}.
 */
package io.tinyfaas.manager.api;
