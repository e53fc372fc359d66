// Compiled in with functions that import "tinyfaas": r.Context() then says for which request a call is made.
package main

import (
	"net/http"

	"tinyfaas"
)

func init() {
	tinyfaasServed = func(sent *http.Request) *http.Request {
		return sent.WithContext(tinyfaas.WithRequest(sent.Context(), sent.Header))
	}
}
