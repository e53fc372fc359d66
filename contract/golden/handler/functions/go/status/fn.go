package main

import "net/http"

func fn(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Location", "/things/7")
	w.WriteHeader(http.StatusCreated)
	w.Write([]byte("made"))
}
