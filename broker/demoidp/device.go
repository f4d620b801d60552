package demoidp

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// slowDown is what RFC 8628 3.5 adds to the interval each time.
const slowDown = 5 * time.Second

type deviceState int

const (
	devicePending deviceState = iota
	deviceApproved
	deviceDenied
	deviceUsed
)

// device is one device authorization of RFC 8628.
type device struct {
	grant    *grant // its user is set by the approval
	userCode string
	expires  time.Time
	interval time.Duration
	lastPoll time.Time
	state    deviceState
}

func (s *Server) deviceAuthorization(x *exchange) {
	client, refused := s.authenticate(x.r)
	if refused != nil {
		x.fail(refused)
		return
	}
	scopes := strings.Fields(x.r.PostForm.Get("scope"))
	audience, refused := readAudience(x.r.PostForm)
	if refused == nil {
		refused = s.checkScopes(scopes)
	}
	if refused != nil {
		x.fail(refused)
		return
	}
	d := &device{
		grant:    &grant{client: client, scopes: scopes, audience: audience},
		userCode: newUserCode(),
		expires:  s.options.Now().Add(s.options.DeviceLifetime),
		interval: s.options.DeviceInterval,
	}
	code := opaque()
	s.mu.Lock()
	s.devices[code] = d
	if s.options.AutoApprove {
		s.approveDevice(d, &s.options.Users[0])
	}
	s.mu.Unlock()
	page := s.issuer + "/device"
	x.json(http.StatusOK, map[string]any{
		"device_code":               code,
		"user_code":                 d.userCode,
		"verification_uri":          page,
		"verification_uri_complete": page + "?user_code=" + url.QueryEscape(d.userCode),
		"expires_in":                int64(s.options.DeviceLifetime / time.Second),
		"interval":                  int64(s.options.DeviceInterval / time.Second),
	})
}

// newUserCode has no vowels, so that it spells no word (RFC 8628 6.1).
func newUserCode() string {
	const letters = "BCDFGHJKLMNPQRST" // 16 of them: a byte picks evenly
	raw := make([]byte, 8)
	rand.Read(raw)
	for i, b := range raw {
		raw[i] = letters[b%16]
	}
	return string(raw[:4]) + "-" + string(raw[4:])
}

func (s *Server) approveDevice(d *device, user *User) {
	d.state = deviceApproved
	d.grant.user = user
	d.grant.authTime = s.options.Now()
}

func (s *Server) redeemDevice(client *Client, form url.Values) (*issue, *oauthError) {
	d := s.devices[form.Get("device_code")]
	if d == nil || d.grant.client != client || d.state == deviceUsed {
		return nil, refuse("invalid_grant", "the device code is not known")
	}
	now := s.options.Now()
	// A quarter is forgiven: a client whose ticks are exact still arrives early
	// when the poll before was delayed on its way.
	early := !d.lastPoll.IsZero() && now.Sub(d.lastPoll) < d.interval*3/4
	d.lastPoll = now
	switch {
	case !now.Before(d.expires):
		return nil, refuse("expired_token", "the device code has expired")
	case d.state == deviceDenied:
		return nil, refuse("access_denied", "the person said no")
	case early:
		d.interval += slowDown
		return nil, refuse("slow_down", "polled before the interval was over")
	case d.state == devicePending:
		return nil, refuse("authorization_pending", "nobody has entered the code yet")
	}
	audience, refused := narrowedAudience(d.grant, form)
	if refused != nil {
		return nil, refused
	}
	d.state = deviceUsed
	return s.first(d.grant, audience), nil
}

func (s *Server) devicePage(x *exchange) {
	x.page(http.StatusOK, "Connect a device", s.deviceForm(x.r.Form.Get("user_code")))
}

func (s *Server) deviceDecision(x *exchange) {
	if s.DecideDevice(x.r.PostForm.Get("user_code"), x.r.PostForm.Get("user")) {
		x.page(http.StatusOK, "Done", text("You can close this page and go back to the device."))
		return
	}
	x.page(http.StatusBadRequest, "Connect a device", text("This code is not known, or it is over."))
}

// DecideDevice does what a person does on the verification page: it lets the
// device that shows userCode in as the user with that sub, or turns it away when
// there is no such user. It is false when no device waits with that code.
func (s *Server) DecideDevice(userCode, sub string) bool {
	userCode = strings.ToUpper(strings.TrimSpace(userCode))
	user := s.userBySub(sub)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.devices {
		if d.userCode != userCode || d.state != devicePending || !s.options.Now().Before(d.expires) {
			continue
		}
		if user == nil {
			d.state = deviceDenied
		} else {
			s.approveDevice(d, user)
		}
		return true
	}
	return false
}
