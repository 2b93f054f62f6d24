package token

import (
	"net/http"
	"strings"
	"time"

	"infracore/pkg/config"
	"infracore/pkg/httpserver"
)

// Guard lets reading through, and writing only with a valid token in the Authorization header. Without
// require_token in the settings, everything passes.
func Guard(cfg config.Config, next http.Handler) http.Handler {
	if !cfg.RequireToken {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			if !ok {
				refuse(w, "writing needs a token: send it as Authorization: Bearer TOKEN")
				return
			}
			if err := Verify(cfg.JWTSecret.Reveal(), bearer, time.Now()); err != nil {
				refuse(w, err.Error())
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func refuse(w http.ResponseWriter, why string) {
	w.Header().Set("WWW-Authenticate", "Bearer")
	httpserver.Error(w, http.StatusUnauthorized, why)
}
