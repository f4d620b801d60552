package transparency

import (
	"bufio"
	"encoding/base64"
	"os"
)

// playPuppet is a server that says what it is told and nothing else, so that a
// script decides every byte of both directions. Only puppet/ready it answers by
// itself: a call waits until the proxy knows who is signed in, and what is no
// call passes it then (design, section 3.7).
func playPuppet() {
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		m, err := understand(line)
		check(err)
		if m.method == "puppet/ready" {
			_, err = os.Stdout.WriteString(`{"jsonrpc":"2.0","id":` + m.id + `,"result":{}}` + "\n")
			check(err)
		}
		if m.method != "notifications/puppet/say" {
			continue
		}
		quoted, err := pick(line, "params.line")
		check(err)
		text, err := base64.StdEncoding.DecodeString(quoted[1 : len(quoted)-1])
		check(err)
		_, err = os.Stdout.Write(append(text, '\n'))
		check(err)
	}
}
