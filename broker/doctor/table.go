package doctor

// Severity says how bad a finding is.
type Severity string

// The severities. Only problems make `mcpauth doctor` exit with 8.
const (
	Fine Severity = "ok"      // a check that passed
	Note Severity = "note"    // worth knowing; works as it is
	Bad  Severity = "problem" // something does not work, or is not safe
)

// Kind is one thing that the doctor can find. The table of them is the
// source of docs/errors.md. A code never changes its meaning; its first digit
// tells the area, and one that ends in 0 is a check that passed.
type Kind struct {
	Code     string
	Severity Severity
	Title    string   // what was found, in general
	Why      string   // what it means and where it comes from; empty for a check that passed
	Hints    []string // commands or text; a finding may have better ones
}

// Kinds is the table, ordered by code.
func Kinds() []Kind { return kinds }

// Area is the part of the system that a code is about.
func Area(code string) string { return areas[code[2:3]] }

var areas = map[string]string{
	"1": "configuration", "2": "keychain", "3": "provider", "4": "sign-in", "5": "server", "6": "clients", "7": "files", "8": "program", "9": "doctor",
}

var kinds = []Kind{
	{"MA110", Fine, "the configuration file can be read", "", nil},
	{"MA111", Bad, "the configuration file cannot be used",
		"It has a mistake, or other users may write it, so nothing that depends on a profile works. Running proxies go on with what they last read.",
		[]string{"fix the line that the message names", "mcpauth profile list"}},
	{"MA112", Note, "there is no configuration file yet",
		"Without a profile mcpauth does not know where to sign in. This is how it looks after the installation.",
		[]string{"mcpauth init"}},
	{"MA120", Fine, "the profile is complete", "", nil},
	{"MA121", Bad, "it is not clear which profile is meant, or it is not complete",
		"There is no profile of that name, or several and none is the default, or the one that is meant lacks its issuer or client_id.",
		[]string{"mcpauth profile list", "mcpauth profile use NAME"}},
	{"MA122", Note, "variables of this shell change the profile",
		"AI clients start their servers with hardly any environment. What works here because of a variable does not work there.",
		[]string{"mcpauth profile show", "mcpauth login"}},
	{"MA130", Fine, "the policy can be read", "", nil},
	{"MA131", Bad, "the policy cannot be used",
		"A proxy that starts now denies every call: without a policy that can be read nothing is allowed.",
		[]string{"mcpauth policy show"}},

	{"MA210", Fine, "the store for tokens works", "", nil},
	{"MA211", Bad, "no keychain can be reached",
		"This session has no keychain service: on Linux no Secret Service on the session bus, over ssh or in a container as a rule; on Windows a session without a credential vault.",
		[]string{"mcpauth init --store age", "where there are profiles already: mcpauth store use age"}},
	{"MA212", Bad, "the keychain is locked",
		"It is there, but locked, and no window can ask for its password.", []string{"unlock it, then: mcpauth status"}},
	{"MA213", Bad, "the keychain does not answer in time",
		"It may show a question that is out of sight: behind a window, or on the machine's own screen.", []string{"answer its question, then: mcpauth status"}},
	{"MA214", Bad, "the keychain has no keyring yet",
		"The service runs, but there is no collection to put anything into. A first sign-in to the desktop makes one.", []string{"make a keyring named Login in Passwords and Keys (seahorse)"}},
	{"MA215", Bad, "the keychain does not keep what it is given",
		"It says yes and stores nothing: its question was answered with no, or it is read-only.", []string{"say yes when the keychain asks, then try again"}},
	{"MA216", Bad, "the age file cannot be opened",
		"The tokens are in a file with a passphrase, and none was given, or not the right one.", []string{"mcpauth status", "mcpauth store use keychain"}},
	{"MA217", Bad, "the keychain gives an error", "The message has the keychain's own text.", []string{"try again, then report it with: mcpauth doctor --report"}},
	{"MA218", Bad, "what the keychain holds is damaged or not ours",
		"Another program wrote under mcpauth's name, or an item was changed by hand.", []string{"mcpauth login"}},

	{"MA310", Fine, "the provider is what the profile says", "", nil},
	{"MA311", Bad, "the provider cannot be reached",
		"No answer: a network that is down, a VPN that is off, a proxy in between, or a certificate that this machine does not trust. A clock that is wrong makes good certificates look bad.",
		[]string{"check the network and the issuer's address, then: mcpauth doctor"}},
	{"MA312", Bad, "the provider calls itself by another name",
		"The issuer of the profile and the one that the provider's metadata names must be the same to the letter. The usual causes are a slash at the end, and an address without its /oauth2/default or /v2.0.",
		[]string{"mcpauth profile show"}},
	{"MA313", Bad, "the provider's metadata cannot be used safely",
		"It is not there, an endpoint is not https, or PKCE with S256 is not offered.", []string{"mcpauth profile show"}},
	{"MA314", Note, "the provider does not say that it checks PKCE",
		"Its metadata lists no code_challenge_methods. mcpauth sends the challenge all the same; whether the provider checks it is not known.", []string{"ask the provider's administrator"}},
	{"MA315", Bad, "the provider gives no usable answer",
		"Something answers at its address, but with an error of a server, a redirect or something that is no OpenID provider's. The network is there.",
		[]string{"try again later; if it stays so: mcpauth login --trace"}},
	{"MA320", Fine, "this machine's clock is right", "", nil},
	{"MA321", Bad, "this machine's clock is wrong",
		"It differs by more than a minute from the Date of the provider's answers, so that good ID tokens seem over, or not valid yet. Sign-ins then fail. No other clock is asked.",
		[]string{"set the clock: timedatectl set-ntp true (Linux), sntp -sS time.apple.com (macOS), w32tm /resync (Windows)"}},
	{"MA322", Note, "the clock could not be compared", "The provider gave no answer, or none with a Date. Where its certificate was refused, the clock of this machine may be the cause.", nil},
	{"MA330", Fine, "the redirect URIs can be used", "", nil},
	{"MA331", Bad, "no port for the redirect URI is free",
		"Other programs listen on all of them, so a sign-in cannot get its answer.",
		[]string{"end the program that listens there, or register another redirect URI and add it to redirect_uris"}},
	{"MA332", Note, "some ports of the redirect URIs are in use",
		"A sign-in takes the next one. It works if that one is registered at the provider, too.", nil},
	{"MA333", Bad, "a redirect URI of the profile cannot be used", "It must be http on this machine, without a query.", []string{"mcpauth profile show"}},
	{"MA341", Bad, "the client secret is missing",
		"The profile names a secret that is not where it should be.", []string{"mcpauth profile secret NAME"}},
	{"MA342", Note, "the application has a client secret",
		"A program on a desktop cannot keep one from its user. A public (native) application with PKCE needs none.", []string{"register a native application at the provider"}},

	{"MA410", Fine, "a user is signed in", "", nil},
	{"MA411", Bad, "nobody is signed in", "Calls are answered with the request to sign in; nothing reaches the server.", []string{"mcpauth login"}},
	{"MA412", Bad, "the sign-in has ended",
		"The provider ended it, a limit of the profile did, or what is stored cannot be used any more.", []string{"mcpauth login"}},
	{"MA413", Note, "the access token is over", "A running proxy renews it with the refresh token when it is needed; so does mcpauth token.", nil},
	{"MA414", Bad, "mcpauth is locked", "mcpauth lock was run on this machine; all proxies are cut off until a fresh sign-in.", []string{"mcpauth unlock"}},
	{"MA415", Note, "there is no refresh token",
		"The sign-in ends with its access token. The provider did not give a refresh token: the application may not be allowed to have one, or the scope offline_access was not granted.",
		[]string{"allow refresh tokens for the application at the provider, then: mcpauth login"}},
	{"MA416", Note, "not everything is known of the user",
		"The provider sends groups, roles or the e-mail address in a form that mcpauth does not read, leaves some out, or did not answer when asked for them. A rule of the policy that denies by such a claim denies.",
		[]string{"have the provider send them as a list of names, then: mcpauth login", "mcpauth status"}},

	{"MA510", Fine, "the server's command is found", "", nil},
	{"MA511", Bad, "the server's command is not found or cannot be run",
		"It is not in the PATH, has no right to be run, or the interpreter that it names is missing.", []string{"give its full path in command of the profile"}},
	{"MA512", Note, "graphical programs would not find the server's command, or another one",
		"It is found with the PATH of this terminal. Programs that are started from a desktop have a short PATH and miss what shells add to it, such as ~/.local/bin, Homebrew or version managers.",
		[]string{"give its full path in command of the profile"}},
	{"MA513", Note, "the profile has no command", "An AI client's entry names the server then: mcpauth proxy -- COMMAND. The doctor cannot try it.", nil},
	{"MA514", Bad, "the folder for the server is not there", "cwd of the profile names a folder that does not exist.", []string{"mcpauth profile show"}},
	{"MA520", Fine, "the server starts and answers", "", nil},
	{"MA521", Bad, "the server ended before it answered", "The end of its stderr is in the message. Often a module is missing, or the wrong interpreter runs it.", []string{"start the command by hand to see what it says"}},
	{"MA522", Bad, "the server does not answer in time", "It starts, but gives no answer to initialize. It may wait for something, or talk to its terminal and not MCP.", []string{"start the command by hand to see what it says"}},
	{"MA523", Bad, "the server answers with an error", "It speaks MCP, and refuses the handshake or the list of its tools.", []string{"mcpauth doctor --report"}},
	{"MA524", Note, "the server writes to standard output what is no message",
		"mcpauth takes such lines out; without it, AI clients fail over them. A server has to log to stderr.", nil},

	{"MA610", Fine, "the entries of the AI clients are in order", "", nil},
	{"MA611", Bad, "a file of an AI client cannot be read",
		"It has a mistake, so the client itself may not see its servers. mcpauth does not touch such a file.", []string{"fix the file that the message names"}},
	{"MA612", Bad, "an AI client's entry names a mcpauth that is not there",
		"The program was moved, updated into another folder, or removed. The client shows the server as failed, as a rule without a reason.",
		[]string{"mcpauth client wrap CLIENT NAME"}},
	{"MA613", Bad, "an AI client's entry names a server that is not there",
		"The command behind mcpauth proxy is not found: it was moved or removed, or stands without its full path, or the folder of --cwd is gone.",
		[]string{"where it is in the PATH now: mcpauth client wrap CLIENT NAME", "or take the entry away: mcpauth client remove CLIENT --name NAME"}},
	{"MA614", Note, "an AI client's entry has lost its --",
		"Some clients drop it when they write their file. mcpauth proxy works without it, unless the server's own flags look like those of mcpauth.",
		[]string{"mcpauth client wrap CLIENT NAME"}},
	{"MA615", Note, "no AI client runs mcpauth", "There is no entry for it in the files of the clients on this machine.", []string{"mcpauth client add CLIENT --name NAME -- COMMAND"}},
	{"MA616", Note, "an AI client's entry runs another mcpauth",
		"Not the program that was examined here; it may be older.", []string{"mcpauth client wrap CLIENT NAME"}},
	{"MA617", Note, "an AI client may not find a program of its entry",
		"Graphical programs have a shorter PATH than a terminal. The program is found in that of this terminal, but not, or not the same, in theirs.",
		[]string{"mcpauth client wrap CLIENT NAME"}},
	{"MA618", Bad, "an AI client's entry names a profile that is not there",
		"The profile was removed or renamed, so mcpauth ends as soon as the client starts it.",
		[]string{"name one that is there in that file: mcpauth profile list", "or take the entry away: mcpauth client remove CLIENT --name NAME"}},
	{"MA619", Note, "an AI client's entry sets variables that mcpauth reads, too",
		"They are the server's. OKTA_ variables count for mcpauth only where no profile is configured; those of the network count unless the profile has ca_file and proxy.",
		[]string{"mcpauth profile show"}},
	{"MA621", Note, "an AI client's file begins with a byte order mark",
		"An editor or PowerShell wrote it. Some clients refuse such a file, and then none of its servers appear. mcpauth leaves it as it is.",
		[]string{"if the servers do not appear there, save the file as UTF-8 without a mark"}},

	{"MA710", Fine, "the files are private to you", "", nil},
	{"MA711", Bad, "other users can read or change mcpauth's files", "They were copied, restored or made with other rights.", []string{"chmod -R go-rwx FOLDER"}},
	{"MA712", Bad, "files belong to another user", "mcpauth was run with sudo once, as a rule, or a home folder was copied.", []string{"sudo chown -R \"$(id -un)\" FOLDER"}},
	{"MA713", Bad, "the state folder cannot be written", "Without it there is no audit log, and a call that cannot be logged is refused.", []string{"check the rights of the folder and the disk"}},
	{"MA720", Fine, "the audit log is whole", "", nil},
	{"MA721", Bad, "the audit log was changed or is damaged", "Its chain of hashes is broken: lines or files were changed, added or taken away, or the disk lost some.", []string{"mcpauth audit verify"}},
	{"MA722", Bad, "the audit log cannot be read", "Rights, or a disk that fails.", []string{"mcpauth audit verify"}},
	{"MA730", Fine, "there is room on the disk", "", nil},
	{"MA731", Bad, "the disk is nearly full", "When the audit log cannot be written, calls are refused.", []string{"make room on the disk that has the state folder"}},

	{"MA810", Fine, "this program", "", nil},
	{"MA811", Note, "another mcpauth comes first in the PATH", "What you type is not what was examined here, and may be older.", []string{"remove one of the two"}},

	{"MA911", Bad, "a check did not finish in time", "Something that it asks does not answer. The other checks are not affected.", []string{"mcpauth doctor --report"}},
}

// kindOf returns the row of a code. A code that is in no row is a mistake of this
// package, which any test finds.
func kindOf(code string) Kind {
	for _, kind := range kinds {
		if kind.Code == code {
			return kind
		}
	}
	panic("no finding " + code)
}
