package backend

import (
	"os"
	"os/exec"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// A tree is a job object that ends all its processes when its last handle is
// closed: by destroy, or by the kernel when this process has ended.
type tree struct {
	mu   sync.Mutex
	job  windows.Handle
	over bool
}

func newTree() (*tree, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return nil, os.NewSyscallError("CreateJobObject", err)
	}
	limits := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{}
	limits.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits)))
	if err != nil {
		windows.CloseHandle(job)
		return nil, os.NewSyscallError("SetInformationJobObject", err)
	}
	return &tree{job: job}, nil
}

func (t *tree) weakness() string { return "" }

// start starts the child asleep, so that it is in the job before it can start
// processes of its own.
func (t *tree) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{
		CreationFlags: windows.CREATE_SUSPENDED | windows.CREATE_NEW_PROCESS_GROUP,
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	err := t.adopt(uint32(cmd.Process.Pid))
	if err == nil {
		err = resume(uint32(cmd.Process.Pid))
	}
	if err != nil {
		cmd.Process.Kill()
		cmd.Wait()
	}
	return err
}

func (t *tree) adopt(pid uint32) error {
	process, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, pid)
	if err != nil {
		return os.NewSyscallError("OpenProcess", err)
	}
	defer windows.CloseHandle(process)
	return os.NewSyscallError("AssignProcessToJobObject", windows.AssignProcessToJobObject(t.job, process))
}

// resume wakes the threads of a process; os/exec keeps no handle of the first.
func resume(pid uint32) error {
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPTHREAD, 0)
	if err != nil {
		return os.NewSyscallError("CreateToolhelp32Snapshot", err)
	}
	defer windows.CloseHandle(snapshot)
	entry := windows.ThreadEntry32{Size: uint32(unsafe.Sizeof(windows.ThreadEntry32{}))}
	for err = windows.Thread32First(snapshot, &entry); err == nil; err = windows.Thread32Next(snapshot, &entry) {
		if entry.OwnerProcessID != pid {
			continue
		}
		thread, err := windows.OpenThread(windows.THREAD_SUSPEND_RESUME, false, entry.ThreadID)
		if err != nil {
			return os.NewSyscallError("OpenThread", err)
		}
		_, err = windows.ResumeThread(thread)
		windows.CloseHandle(thread)
		if err != nil {
			return os.NewSyscallError("ResumeThread", err)
		}
	}
	if err != windows.ERROR_NO_MORE_FILES {
		return os.NewSyscallError("Thread32Next", err)
	}
	return nil
}

// terminate reports that there is no way to ask: a console event needs a console
// that the child shares with us.
func (t *tree) terminate() bool { return false }

func (t *tree) kill() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.over {
		windows.TerminateJobObject(t.job, 1)
	}
}

func (t *tree) destroy() {
	t.kill()
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.over {
		windows.CloseHandle(t.job)
	}
	t.over = true
}

func exitOf(err error, state *os.ProcessState) Exit {
	if state == nil {
		return Exit{Code: -1, Err: err}
	}
	return Exit{Code: state.ExitCode()}
}
