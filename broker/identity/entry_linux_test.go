package identity

import (
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// asNobody sends a request as another user of the machine and returns the answer.
func asNobody(t *testing.T, address string, header ...string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	request := "GET " + u.RequestURI() + " HTTP/1.1\r\nHost: " + u.Host + "\r\nConnection: close\r\n" + strings.Join(append(header, "\r\n"), "\r\n")
	script := `exec 3<>"/dev/tcp/$0/$1"; printf '%s' "$2" >&3; cat <&3`
	answer, err := exec.Command("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
		"bash", "-c", script, u.Hostname(), u.Port(), request).CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, answer)
	}
	return string(answer)
}

// Another user of the machine reads the browser's arguments. Neither the page nor
// the way back serves them, before and after the user's own browser came, even with
// the user's cookie; and the user's sign-in goes on.
func TestAttackAnotherUserOfTheMachine(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		return // only root can be somebody else
	}
	w := newWorld(t, signsInAlone())
	b := w.begin(t)
	refused := func(address string, header ...string) {
		t.Helper()
		answer := asNobody(t, address, header...)
		if !strings.HasPrefix(answer, "HTTP/1.1 403 ") || strings.Contains(answer, "Location:") || strings.Contains(answer, "Set-Cookie:") {
			t.Errorf("%s: %s", address, answer)
		}
	}
	refused(b.page)
	w.wantWarning(t, "another user of this machine (uid 65534)")
	w.browser.atCallback = func(callback *url.URL) {
		var cookie string
		for _, c := range w.browser.client.Jar.Cookies(callback) {
			cookie += c.String()
		}
		refused(callback.String(), "Cookie: "+cookie)
		refused(with(callback, url.Values{"state": callback.Query()["state"], "error": {"access_denied"}}), "Cookie: "+cookie)
		refused(b.page, "Cookie: "+cookie)
	}
	_ = w.browser.open(t.Context(), b.page)
	wantPage(t, receive(t, w.browser.pages), http.StatusOK, "You are signed in")
	if got := receive(t, b.end); got.err != nil || got.user.Sub != "ada" {
		t.Errorf("%+v", got)
	}
}
