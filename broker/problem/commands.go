package problem

// LoginCommand is the command that signs in with a profile, or with the default one
// where no name is given.
func LoginCommand(profile string) string { return "mcpauth login" + ProfileFlag(profile) }

// ProfileFlag is the flag that names a profile, with a blank before it; empty without
// a name.
func ProfileFlag(profile string) string {
	if profile == "" {
		return ""
	}
	return " --profile " + profile
}
