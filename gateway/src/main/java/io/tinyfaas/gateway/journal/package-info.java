/**
 * Keys and values on disk that outlive a power cut. {@link io.tinyfaas.gateway.journal.Journal} is
 * all that others need. What writes the files ({@code GroupCommit}, {@code Tail}, {@code Cleaner})
 * and what reads them after whatever has happened ({@code Recovery}, {@code SegmentScan}) agree on
 * each byte, and on nothing with anybody else: that is why all of them are here, though they are
 * more than a dozen.
 */
package io.tinyfaas.gateway.journal;
