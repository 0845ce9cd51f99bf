/* Random bytes as Windows 10 gives them to programs, where wine has no such library yet (before 8.12). */
#include <windows.h>
#include <ntsecapi.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(BYTE *bytes, SIZE_T length)
{
	return RtlGenRandom(bytes, (ULONG)length);
}
