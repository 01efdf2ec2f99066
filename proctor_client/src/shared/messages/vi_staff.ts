/** Vietnamese texts of the staff and public pages' scripts: confirmation, tables, toasts. */

export const staffVi = {
  'theme.auto': 'Theo máy',
  'theme.light': 'Sáng',
  'theme.dark': 'Tối',
  'theme.contrast': 'Tương phản',
  'theme.label': 'Màu giao diện',
  'confirm-act.title': 'Xác nhận',
  'confirm-act.go': 'Tiếp tục',
  'confirm-act.back': 'Hủy',
  'filter.none': 'Không có dòng nào khớp.',
  'toast.close': 'Đóng thông báo',
  'request.failed': 'Yêu cầu không thành công. Thử lại sau giây lát.',
  'request.offline': 'Mất kết nối với máy chủ. Thử lại khi có mạng.',
} as const

export type StaffMessageKey = keyof typeof staffVi
