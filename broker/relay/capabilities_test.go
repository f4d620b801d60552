package relay

import "testing"

func TestOfferListChanged(t *testing.T) {
	tests := map[string]struct{ in, want string }{
		"not said":  {`{"tools":{},"logging":{}}`, `{"tools":{"listChanged":true},"logging":{}}`},
		"said no":   {`{"prompts":{"listChanged": false}}`, `{"prompts":{"listChanged": true}}`},
		"said yes":  {`{"tools":{"listChanged":true}}`, ``},
		"beside":    {`{"resources":{"subscribe":true}}`, `{"resources":{"listChanged":true,"subscribe":true}}`},
		"all three": {`{"tools":{},"resources":{},"prompts":{}}`, `{"tools":{"listChanged":true},"resources":{"listChanged":true},"prompts":{"listChanged":true}}`},
		"no lists":  {`{"logging":{},"tools":null}`, ``},
	}
	const before, after = `{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25","capabilities":`, `,"instructions":"x"}}`
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var scanner Scanner
			got := string(scanner.Scan([]byte(before + test.in + after)).OfferListChanged())
			want := test.want
			if want != "" {
				want = before + want + after
			}
			if got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}
